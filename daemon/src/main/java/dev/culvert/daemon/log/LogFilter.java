package dev.culvert.daemon.log;

import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Which levels are logged: one for everything, others for named scopes. Written `info,access=debug`.
///
/// Shown as Istio does: the most specific scope first, the level for everything last.
///
/// @param scopes level by scope, such as `access` or `ztunnel::inbound`
public record LogFilter(String level, Map<String, String> scopes) {
    private static final Set<String> LEVELS = Set.of("off", "error", "warn", "info", "debug", "trace");

    public LogFilter {
        scopes = Map.copyOf(scopes);
    }

    public static LogFilter info() {
        return new LogFilter("info", Map.of());
    }

    /// @throws IllegalArgumentException if a clause is neither a level nor `scope=level`
    public static LogFilter parse(String text) {
        return info().plus(text);
    }

    /// This filter with the clauses of `text` over it.
    LogFilter plus(String text) {
        var overall = level;
        var named = new TreeMap<>(scopes);
        for (var clause : text.split(",", -1)) {
            var equals = clause.indexOf('=');
            if (equals < 0) {
                overall = clause.isBlank() ? overall : level(clause);
            } else {
                named.put(clause.substring(0, equals).strip(), level(clause.substring(equals + 1)));
            }
        }
        return new LogFilter(overall, named);
    }

    private static String level(String text) {
        return Optional.of(text.strip().toLowerCase(Locale.ROOT))
                .filter(LEVELS::contains)
                .orElseThrow(() -> new IllegalArgumentException("not a log level or scope=level: " + text.strip()
                        + " (levels: off, error, warn, info, debug, trace)"));
    }

    @Override
    public String toString() {
        var bySpecificity = Comparator.<String>comparingInt(String::length).thenComparing(Comparator.naturalOrder());
        return Stream.concat(
                        scopes.keySet().stream()
                                .sorted(bySpecificity.reversed())
                                .map(scope -> scope + "=" + scopes.get(scope)),
                        Stream.of(level))
                .collect(Collectors.joining(","));
    }
}
