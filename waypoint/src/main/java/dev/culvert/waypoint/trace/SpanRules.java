package dev.culvert.waypoint.trace;

import dev.culvert.protos.waypoint.SpanTag;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What a Service's users want of the traces of its requests. Immutable.
public final class SpanRules {
    /// As the process's own settings say.
    public static final SpanRules NONE = new SpanRules(dev.culvert.protos.waypoint.SpanRules.getDefaultInstance());

    private static final double MILLION = 1e6;
    private static final int MAX_VALUE = 256;

    private final dev.culvert.protos.waypoint.SpanRules said;

    public SpanRules(dev.culvert.protos.waypoint.SpanRules said) {
        this.said = said;
    }

    boolean disabled() {
        return said.getDisabled();
    }

    /// Of the traces that begin here.
    double share(double otherwise) {
        return said.hasShare() ? said.getShare() / MILLION : otherwise;
    }

    dev.culvert.protos.waypoint.@Nullable Collector collector() {
        return said.hasCollector() ? said.getCollector() : null;
    }

    /// @param header first value by name; null without
    /// @param environment of this process, likewise
    Map<String, String> tags(
            Function<String, @Nullable String> header, Function<String, @Nullable String> environment) {
        var tags = new LinkedHashMap<String, String>();
        for (var tag : said.getTagsList()) {
            var value = value(tag, header, environment);
            tags.put(tag.getName(), value.length() > MAX_VALUE ? value.substring(0, MAX_VALUE) : value);
        }
        return tags;
    }

    private static String value(
            SpanTag tag, Function<String, @Nullable String> header, Function<String, @Nullable String> environment) {
        return switch (tag.getValueCase()) {
            case LITERAL -> tag.getLiteral();
            case HEADER ->
                or(header.apply(tag.getHeader().getName()), tag.getHeader().getOtherwise());
            case ENVIRONMENT ->
                or(
                        environment.apply(tag.getEnvironment().getName()),
                        tag.getEnvironment().getOtherwise());
            case VALUE_NOT_SET -> "";
        };
    }

    private static String or(@Nullable String value, String otherwise) {
        return value == null ? otherwise : value;
    }
}
