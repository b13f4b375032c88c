package dev.culvert.waypoint.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.protobuf.Duration;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Cookie;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Endpoint;
import dev.culvert.waypoint.balance.HashedRequest;
import dev.culvert.waypoint.route.CompiledRoute;
import dev.culvert.waypoint.route.RouteTable;
import dev.culvert.waypoint.upstream.Upstream;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The tries of one request. Its body is read as the upstream takes it; as much of it is kept for another
/// try as the limit says. Confined to its loop.
final class Forwarding {
    private static final byte[] UNHEALTHY = "no healthy upstream".getBytes(US_ASCII);
    private static final byte[] TIMEOUT = "upstream request timeout".getBytes(US_ASCII);

    private final Exchange exchange;
    private final RequestHead request;
    private final RouteTable.@Nullable Chosen route;
    private final Forward forward;
    private final Retries retries;
    private final Set<String> tried = new HashSet<>();
    private final ArrayDeque<HttpContent> replay = new ArrayDeque<>();
    private final int replayLimit;
    private List<Shadow> shadows = List.of();
    private Map<String, String> added = Map.of();
    private @Nullable ClusterSpec spec;
    private @Nullable Endpoint pod;
    private @Nullable Long hash;
    private Backend backend = Backend.getDefaultInstance();
    private int replayBytes;
    private boolean replayable = true;

    private @Nullable Try current;
    private @Nullable ScheduledFuture<?> timer;
    private @Nullable ScheduledFuture<?> pause;
    private boolean requestEnded;
    private boolean reading;
    private boolean staleTried;
    private boolean retrying;
    private boolean stopped;

    /// @param route null for a pod that was called by its own address
    Forwarding(Exchange exchange, RequestHead request, RouteTable.@Nullable Chosen route) {
        this.exchange = exchange;
        this.request = request;
        this.route = route;
        this.forward =
                route == null ? Forward.getDefaultInstance() : route.route().getForward();
        this.retries = new Retries(forward.getRetry());
        this.replayLimit = exchange.inner().serving().limits().replayBytes();
    }

    /// Chooses where it goes, for all tries.
    void start() {
        if (route == null) {
            pod = exchange.inner().pod().orElseThrow();
            spec = ClusterSpec.ofPod(pod);
            go();
            return;
        }
        var targets = route.compiled().targets();
        added = cors(route.compiled());
        if (forward.getSticky() && !targets.all().isEmpty()) {
            stick(targets.all().getFirst().spec());
        }
        var target = forward.getSticky() && hash != null ? targets.choose(hash) : targets.choose();
        if (target.isEmpty()) {
            exchange.answer(500, "NC", "no backend has a weight", new byte[0]);
            return;
        }
        backend = target.get().backend();
        spec = target.get().spec();
        if (backend.getBrokenStatus() != 0) {
            exchange.answer(backend.getBrokenStatus(), "NC", "cluster_not_found", new byte[0]);
            return;
        }
        HeaderEdits.apply(backend.getRequestHeaders(), request.onward());
        route.authority(backend).ifPresent(request::rewriteAuthority);
        route.path(request.path()).ifPresent(request::rewritePath);
        if (!forward.getSticky()) {
            stick(spec);
        }
        shadows = shadows(route.compiled());
        go();
    }

    /// Who may read our answer.
    private Map<String, String> cors(CompiledRoute compiled) {
        var cors = compiled.cors();
        return cors == null ? Map.of() : cors.added(request);
    }

    /// Where the endpoint is chosen by a key: this request's, else a cookie or a header that makes the client come
    // back.
    private void stick(ClusterSpec to) {
        var key = to.traffic().hash();
        if (key == null) {
            return;
        }
        hash = HashedRequest.hash(key, request);
        var begins =
                key.hasSessionHeader() || (key.hasCookie() && key.getCookie().hasTtl());
        if (hash != null || !begins) {
            return;
        }
        var value = Long.toHexString(ThreadLocalRandom.current().nextLong());
        hash = HashedRequest.hash(value);
        var all = new HashMap<>(added);
        if (key.hasSessionHeader()) {
            all.put(key.getSessionHeader(), value);
        } else {
            all.put("set-cookie", cookie(key.getCookie(), value));
        }
        added = all;
    }

    private static String cookie(Cookie cookie, String value) {
        var ttl = cookie.getTtl().getSeconds();
        return cookie.getName() + "=\"" + value + "\"" + (ttl > 0 ? "; Max-Age=" + ttl : "")
                + (cookie.getPath().isEmpty() ? "" : "; Path=" + cookie.getPath())
                + "; HttpOnly";
    }

    private List<Shadow> shadows(CompiledRoute compiled) {
        if (compiled.shadows().isEmpty()) {
            return List.of();
        }
        var begun = new ArrayList<Shadow>();
        for (var shadow : compiled.shadows()) {
            if (Draw.hits(shadow.share())) {
                var copy = new Shadow(exchange, request, shadow.target(), forward);
                begun.add(copy);
                copy.start(replay);
            }
        }
        return begun;
    }

    private void go() {
        if (stopped || spec == null) {
            return;
        }
        var retry = retrying;
        retrying = false;
        if (!go(spec, retry) && retry) {
            endRetry();
        }
    }

    /// @param retry whether it is counted as one
    /// @return whether a try has begun
    private boolean go(ClusterSpec to, boolean retry) {
        var cluster = exchange.inner().serving().clusters().of(to);
        var chosen = pod == null ? exchange.inner().choose(to, hash, avoided()) : Optional.of(cluster.only(pod));
        if (chosen.isEmpty()) {
            exchange.answer(503, "UH", "no_healthy_upstream", UNHEALTHY);
            return false;
        }
        var limits = to.traffic().pool();
        if (!cluster.startRequest(limits.maxRequests())) {
            exchange.inner().serving().metrics().limited("upstream_requests");
            exchange.overflow("upstream_reset_before_response_started{overflow}");
            return false;
        }
        var endpoint = chosen.get().endpoint();
        tried.add(endpoint.workload().uid());
        exchange.inner().leadsTo(exchange.record(), to.key());
        exchange.record().tried(endpoint, to.key());
        var use = new UpstreamPool.Use(endpoint, exchange.usesHttp2(limits.version()), cluster, to);
        var attempt = new Try(this, use, chosen.get().host(), retry);
        current = attempt;
        attempt.acquire();
        return true;
    }

    private Set<String> avoided() {
        return retries.maySameEndpoint() ? Set.of() : tried;
    }

    // ---- for the tries ----

    Exchange exchange() {
        return exchange;
    }

    RequestHead request() {
        return request;
    }

    Retries retries() {
        return retries;
    }

    boolean isStopped() {
        return stopped;
    }

    boolean hasRequestEnded() {
        return requestEnded;
    }

    boolean isReplayable() {
        return replayable;
    }

    Optional<Duration> perTryTimeout() {
        return forward.getRetry().hasPerTryTimeout()
                ? Optional.of(forward.getRetry().getPerTryTimeout())
                : Optional.empty();
    }

    /// What there is of the body already.
    void writeBody(Channel to) {
        replay.forEach(content -> to.write(content.retainedDuplicate()));
    }

    /// Asks the client for more of the body.
    void readRequest() {
        if (!requestEnded && !reading && !stopped) {
            reading = true;
            exchange.downstream().read();
        }
    }

    /// An answer that is passed on: there is no other try.
    void answered(HttpResponse response) {
        replayable = false;
        dropReplay();
        exchange.answerHead(response, backend.getResponseHeaders(), added);
    }

    /// It has become a connection without HTTP.
    void switched(HttpResponse response, Upstream to) {
        cancel(timer);
        stopped = true;
        dropReplay();
        exchange.switched(response, to);
    }

    // ---- the request's body ----

    void requestContent(HttpContent content) {
        reading = false;
        if (stopped) {
            content.release();
            return;
        }
        keep(content);
        for (var shadow : shadows) {
            shadow.copy(content);
        }
        if (content instanceof LastHttpContent) {
            requestEnded = true;
            startTimer();
        }
        if (current != null && current.isOpen()) {
            current.send(content);
        } else {
            content.release(); // kept, and sent once there is an upstream
            if (!replayable) {
                exchange.answer(
                        503,
                        "URX",
                        "the body is too large to be kept for another try",
                        Answers.broken("connection termination", true));
            }
        }
    }

    private void keep(HttpContent content) {
        if (!replayable) {
            return;
        }
        replayBytes += content.content().readableBytes();
        if (replayBytes > replayLimit) {
            replayable = false;
            dropReplay();
        } else {
            replay.add(content.retainedDuplicate());
        }
    }

    private void dropReplay() {
        replay.forEach(HttpContent::release);
        replay.clear();
    }

    /// What the client of gRPC says may be shorter than what the route says, not longer.
    private void startTimer() {
        var nanos = forward.hasTimeout() ? nanos(forward.getTimeout()) : 0;
        var client = request.isGrpc() ? request.grpcTimeoutNanos() : 0;
        var bound = nanos == 0 ? client : client == 0 ? nanos : Math.min(nanos, client);
        if (bound > 0 && timer == null) {
            timer = later(bound, () -> {
                if (current != null) {
                    current.timedOut();
                }
                exchange.answer(504, "UT", "response_timeout", TIMEOUT);
            });
        }
    }

    static long nanos(Duration time) {
        return time.getSeconds() * 1_000_000_000L + time.getNanos();
    }

    ScheduledFuture<?> later(long nanos, Runnable task) {
        return exchange.inner().worker().loop().schedule(task, nanos, TimeUnit.NANOSECONDS);
    }

    void downstreamWritable() {
        if (current != null) {
            current.readMore();
        }
    }

    /// The exchange is over, for whatever reason.
    void stop() {
        if (stopped) {
            return;
        }
        stopped = true;
        dropReplay();
        cancel(timer);
        cancel(pause);
        if (current != null) {
            current.stop();
        }
        if (!requestEnded) {
            shadows.forEach(Shadow::cancel);
        }
    }

    static void cancel(@Nullable ScheduledFuture<?> one) {
        if (one != null) {
            one.cancel(false);
        }
    }

    // ---- failures ----

    /// @param reason in Envoy's words
    void failed(Retries.Failure failure, String flags, String reason, String why) {
        if (stopped) {
            return;
        }
        var details = "upstream_reset_before_response_started{" + reason.replace(' ', '_')
                + (why.isEmpty() ? "" : "|" + why.replace(' ', '_')) + "}";
        if (exchange.hasAnswerStarted()) {
            exchange.answerBroke(flags, details.replace("before", "after"));
            return;
        }
        var again = retries.isFor(failure);
        if (again && again()) {
            return;
        }
        var all = again && retries.isLimitReached() ? "URX," + flags : flags;
        if (failure == Retries.Failure.PER_TRY_TIMEOUT) {
            exchange.answer(504, all, "upstream_per_try_timeout", TIMEOUT);
        } else {
            exchange.answer(503, all, details, Answers.broken(reason, retries.hasBeenUsed()));
        }
    }

    /// Whether another try is under way.
    boolean again() {
        if (!mayTryAgain() || spec == null) {
            return false;
        }
        if (!exchange.inner().serving().clusters().of(spec).startRetry(spec.traffic())) {
            exchange.inner().serving().metrics().limited("upstream_retries");
            return false;
        }
        retries.use();
        current = null;
        pause = later(retries.backoff().toNanos(), () -> {
            retrying = true;
            go();
        });
        pause.addListener(done -> {
            if (done.isCancelled()) {
                endRetry();
            }
        });
        return true;
    }

    private void endRetry() {
        if (spec != null) {
            exchange.inner().serving().clusters().of(spec).endRetry();
        }
    }

    boolean mayTryAgain() {
        return replayable && !retries.isExhausted() && !stopped;
    }

    /// Once more after a connection that was closed before it saw the request (RFC 9112 §9.3.1).
    boolean againAfterStale() {
        if (staleTried || !replayable || !request.isIdempotent() || stopped) {
            return false;
        }
        staleTried = true;
        current = null;
        go();
        return true;
    }

    void overflowed(String why) {
        exchange.inner().serving().metrics().limited("upstream_connections");
        exchange.overflow("upstream_reset_before_response_started{overflow|" + why.replace(' ', '_') + "}");
    }
}
