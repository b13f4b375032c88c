package dev.culvert.daemon.config;

import dev.culvert.daemon.config.Setting.Origin;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Reads settings one by one and collects every mistake; [#done] throws them together. Until then a key with a bad
/// value reads as its default. For one thread.
///
/// An empty variable counts as set: `XDS_ADDRESS=""` means "none" in Istio's names.
public final class ConfigReader {
    private final Env env;
    private final List<Setting> settings = new ArrayList<>();
    private final List<String> mistakes = new ArrayList<>();

    public ConfigReader(Env env) {
        this.env = env;
    }

    public String string(String name, String defaultValue, String sentence) {
        return parsed(name, "text", defaultValue, text -> text, sentence);
    }

    /// As [#string], but the first variable that is set counts.
    public String either(String name, String otherName, String defaultValue, String sentence) {
        return string(
                env.get(name).isEmpty() && env.get(otherName).isPresent() ? otherName : name, defaultValue, sentence);
    }

    public Optional<String> optional(String name, String sentence) {
        var value = env.get(name);
        note(name, "text", "", sentence, value.orElse(""));
        return value;
    }

    /// As [#optional], and its value is shown nowhere.
    public Optional<String> secret(String name, String sentence) {
        var value = env.get(name);
        note(name, "secret", "", sentence, value.isPresent() ? "***" : "");
        return value;
    }

    public Duration duration(String name, Duration defaultValue, String sentence) {
        return parsed(
                name,
                "duration such as 500ms, 10s, 5m or 1h30m",
                Durations.print(defaultValue),
                Durations::parse,
                sentence);
    }

    public Optional<Duration> optionalDuration(String name, String sentence) {
        return optionalParsed(name, "duration such as 500ms, 10s, 5m or 1h30m", Durations::parse, sentence);
    }

    public boolean bool(String name, boolean defaultValue, String sentence) {
        return parsed(name, "true or false", Boolean.toString(defaultValue), ConfigReader::parseBool, sentence);
    }

    public Optional<Boolean> optionalBool(String name, String sentence) {
        return optionalParsed(name, "true or false", ConfigReader::parseBool, sentence);
    }

    public int integer(String name, int defaultValue, int min, int max, String sentence) {
        return parsed(
                name,
                "integer " + min + ".." + max,
                Integer.toString(defaultValue),
                text -> ranged(text, min, max),
                sentence);
    }

    public Optional<Integer> optionalInteger(String name, int min, int max, String sentence) {
        return optionalParsed(name, "integer " + min + ".." + max, text -> ranged(text, min, max), sentence);
    }

    /// One of some words.
    public String oneOf(String name, List<String> words, String defaultValue, String sentence) {
        return parsed(
                name,
                String.join(" or ", words),
                defaultValue,
                text -> {
                    if (!words.contains(text)) {
                        throw new IllegalArgumentException(text);
                    }
                    return text;
                },
                sentence);
    }

    /// @return bytes
    public long size(String name, long defaultBytes, String sentence) {
        return parsed(name, "size such as 65536, 64KiB or 16MiB", Sizes.print(defaultBytes), Sizes::parse, sentence);
    }

    public Path path(String name, Path defaultValue, String sentence) {
        return parsed(name, "path", defaultValue.toString(), Path::of, sentence);
    }

    /// The variables whose names start with the prefix, without it.
    public Map<String, String> prefixed(String prefix, String sentence) {
        var found = env.withPrefix(prefix);
        note(prefix + "*", "text", "", sentence, String.join(",", found.keySet()));
        return found;
    }

    /// A key of a form of the caller's own.
    ///
    /// @param form what a right value looks like, for the message
    /// @param parser throws [IllegalArgumentException] for a value it cannot read; must read the default
    public <T> T parsed(String name, String form, String defaultText, Function<String, T> parser, String sentence) {
        note(name, form, defaultText, sentence, env.get(name).orElse(defaultText));
        return env.get(name)
                .flatMap(value -> tryParse(name, form, parser, value))
                .orElseGet(() -> parser.apply(defaultText));
    }

    /// As [#parsed], for a key without a default.
    public <T> Optional<T> optionalParsed(String name, String form, Function<String, T> parser, String sentence) {
        note(name, form, "", sentence, env.get(name).orElse(""));
        return env.get(name).flatMap(value -> tryParse(name, form, parser, value));
    }

    /// A name that is no longer read: being set is a mistake that names the replacement.
    public void removed(String name, String replacement) {
        if (env.get(name).isPresent()) {
            mistakes.add(name + " is no longer read: use " + replacement);
        }
    }

    /// A mistake that only several values together make.
    public void refuse(String mistake) {
        mistakes.add(mistake);
    }

    /// Every key read so far, in the order of reading.
    public List<Setting> settings() {
        return List.copyOf(settings);
    }

    /// @return [#settings]
    /// @throws ConfigException if any value was wrong
    public List<Setting> done() throws ConfigException {
        if (!mistakes.isEmpty()) {
            throw new ConfigException(mistakes);
        }
        return settings();
    }

    private <T> Optional<T> tryParse(String name, String form, Function<String, T> parser, String value) {
        try {
            return Optional.of(parser.apply(value));
        } catch (IllegalArgumentException | ArithmeticException notThatForm) {
            mistakes.add(name + "=\"" + value + "\": expected " + form);
            return Optional.empty();
        }
    }

    private void note(String name, String form, String defaultText, String sentence, String value) {
        var origin = env.get(name).isPresent() ? Origin.ENVIRONMENT : Origin.DEFAULT;
        settings.add(new Setting(name, form, defaultText, sentence, value, origin));
    }

    private static boolean parseBool(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(text);
        };
    }

    private static int ranged(String text, int min, int max) {
        var number = Integer.parseInt(text);
        if (number < min || number > max) {
            throw new IllegalArgumentException(text);
        }
        return number;
    }
}
