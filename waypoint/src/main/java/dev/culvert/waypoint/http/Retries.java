package dev.culvert.waypoint.http;

import dev.culvert.protos.waypoint.Retry;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/// How often a request is tried again, and for what (Envoy's conditions). Confined to its loop.
final class Retries {
    private static final Duration BASE = Duration.ofMillis(25);
    private static final int MAX_FACTOR = 10;
    private static final int OK = 200;

    /// Why a try has no answer that could be passed on.
    enum Failure {
        CONNECT,
        REFUSED_STREAM,
        RESET,
        PER_TRY_TIMEOUT
    }

    private final Retry retry;
    private final Set<String> conditions;
    private int used;

    Retries(Retry retry) {
        this.retry = retry;
        this.conditions = Set.copyOf(retry.getConditionsList());
    }

    /// Whether there have been some and there may be no more.
    boolean isLimitReached() {
        return retry.getAttempts() > 0 && isExhausted();
    }

    boolean hasBeenUsed() {
        return used > 0;
    }

    boolean maySameEndpoint() {
        return retry.getSameEndpoint();
    }

    boolean isExhausted() {
        return used >= retry.getAttempts();
    }

    void use() {
        used++;
    }

    private boolean on(String condition) {
        return conditions.contains(condition);
    }

    boolean isFor(Failure failure) {
        if (on("5xx") || on("gateway-error") || on("reset")) {
            return true;
        }
        return switch (failure) {
            case CONNECT -> on("connect-failure");
            case REFUSED_STREAM -> on("refused-stream");
            case PER_TRY_TIMEOUT -> on("per-try-timeout");
            case RESET -> false;
        };
    }

    /// @param grpcStatus of an answer that has no more than a head; -1 if there is none
    boolean isForAnswer(int status, int grpcStatus) {
        return retry.getStatusCodesList().contains(status)
                || (status >= 500 && on("5xx"))
                || (status >= 502 && status <= 504 && on("gateway-error"))
                || (status == 409 && on("retriable-4xx"))
                || (status == OK && isForGrpc(grpcStatus));
    }

    private boolean isForGrpc(int grpcStatus) {
        return switch (grpcStatus) {
            case 1 -> on("cancelled");
            case 4 -> on("deadline-exceeded");
            case 8 -> on("resource-exhausted");
            case 13 -> on("internal");
            case 14 -> on("unavailable");
            default -> false;
        };
    }

    /// Full jitter: uniform up to a bound that doubles, at most ten times the base.
    Duration backoff() {
        var base = retry.hasBackoff()
                ? retry.getBackoff().getSeconds() * 1_000_000_000L
                        + retry.getBackoff().getNanos()
                : BASE.toNanos();
        var bound = Math.min(base << Math.min(Math.max(used - 1, 0), 10), base * MAX_FACTOR);
        return Duration.ofNanos(bound <= 0 ? 0 : ThreadLocalRandom.current().nextLong(bound));
    }
}
