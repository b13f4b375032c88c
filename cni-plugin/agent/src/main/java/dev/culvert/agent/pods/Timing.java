package dev.culvert.agent.pods;

import java.time.Duration;

/// How patient the agent is.
/// @param retryFirst after a pod's first failure; doubled up to `retryMost`
/// @param releaseCheck how often captured connections are counted while a pod is released
/// @param rulesCheck how often the rules of captured pods are looked at: for so long a pod whose rules somebody has
///     flushed may speak in clear, where others can flush them
/// @param releaseMost after which what is still captured is given up
public record Timing(
        Duration retryFirst, Duration retryMost, Duration releaseCheck, Duration rulesCheck, Duration releaseMost) {
    public static final Timing DEFAULT = new Timing(
            Duration.ofMillis(100),
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            Duration.ofMillis(500),
            Duration.ofHours(1));

    Duration retry(int failures) {
        var doubled = retryFirst.multipliedBy(1L << Math.min(failures - 1, 16));
        return doubled.compareTo(retryMost) < 0 ? doubled : retryMost;
    }
}
