package dev.culvert.waypoint.http;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.protobuf.Duration;
import dev.culvert.hbone.failure.FailureReason;
import dev.culvert.hbone.failure.ProxyException;
import dev.culvert.protos.waypoint.Backend;
import dev.culvert.protos.waypoint.Forward;
import dev.culvert.waypoint.upstream.Endpoints.Endpoint;
import dev.culvert.waypoint.upstream.Upstream;
import dev.culvert.waypoint.upstream.UpstreamEvents;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The tries of one request. Its body is read as the upstream takes it; as much of it is kept for another
/// try as the limit says. Confined to its loop.
final class Forwarding {
    private static final byte[] UNHEALTHY = "no healthy upstream".getBytes(US_ASCII);
    private static final byte[] BROKEN = "upstream connect error or disconnect/reset before headers".getBytes(US_ASCII);
    private static final byte[] TIMEOUT = "upstream request timeout".getBytes(US_ASCII);

    /// Where the request goes.
    /// @param pod the one that was called by its own address
    record Target(Backend backend, Optional<Endpoint> pod) {
        static Target ofPod(Inner inner) {
            return new Target(Backend.getDefaultInstance(), inner.pod());
        }

        /// One of the backends by weight; empty if none has any.
        static Optional<Target> choose(Forward forward) {
            var total = forward.getBackendsList().stream()
                    .mapToLong(Backend::getWeight)
                    .sum();
            if (total <= 0) {
                return Optional.empty();
            }
            var ticket = ThreadLocalRandom.current().nextLong(total);
            for (var backend : forward.getBackendsList()) {
                ticket -= backend.getWeight();
                if (ticket < 0) {
                    return Optional.of(new Target(backend, Optional.empty()));
                }
            }
            return Optional.empty();
        }
    }

    private final Exchange exchange;
    private final RequestHead request;
    private final Forward forward;
    private final Target target;
    private final Retries retries;
    private final Set<String> tried = new HashSet<>();
    private final ArrayDeque<HttpContent> replay = new ArrayDeque<>();
    private final int replayLimit;
    private int replayBytes;
    private boolean replayable = true;

    private @Nullable Try current;
    private @Nullable ScheduledFuture<?> timer;
    private @Nullable ScheduledFuture<?> pause;
    private boolean requestEnded;
    private boolean reading;
    private boolean staleTried;
    private boolean stopped;

    Forwarding(Exchange exchange, RequestHead request, Forward forward, Target target) {
        this.exchange = exchange;
        this.request = request;
        this.forward = forward;
        this.target = target;
        this.retries = new Retries(forward.getRetry());
        this.replayLimit = exchange.inner().serving().limits().replayBytes();
    }

    void start() {
        var chosen = target.pod()
                .or(() -> exchange.inner()
                        .worker()
                        .endpoints()
                        .choose(exchange.inner().serving().mesh().current(), target.backend(), tried));
        if (chosen.isEmpty()) {
            exchange.answer(503, "UH", "no_healthy_upstream", UNHEALTHY);
            return;
        }
        var endpoint = chosen.get();
        tried.add(endpoint.workload().uid());
        exchange.record().tried(endpoint.workload());
        var attempt = new Try(endpoint);
        current = attempt;
        var inner = exchange.inner();
        inner.worker()
                .upstreams()
                .acquire(endpoint, exchange.usesHttp2(), inner.whom(), attempt)
                .whenComplete(attempt::opened);
    }

    // ---- the request's body ----

    void requestContent(HttpContent content) {
        reading = false;
        if (stopped) {
            content.release();
            return;
        }
        keep(content);
        if (content instanceof LastHttpContent) {
            requestEnded = true;
            startTimer();
        }
        if (current != null && current.upstream != null) {
            current.send(content);
        } else {
            content.release(); // kept, and sent once there is an upstream
            if (!replayable) {
                exchange.answer(503, "URX", "the body is too large to be kept for another try", BROKEN);
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

    private void startTimer() {
        if (forward.hasTimeout() && timer == null) {
            timer = later(forward.getTimeout(), () -> exchange.answer(504, "UT", "response_timeout", TIMEOUT));
        }
    }

    private ScheduledFuture<?> later(Duration after, Runnable task) {
        return exchange.inner()
                .worker()
                .loop()
                .schedule(task, after.getSeconds() * 1_000_000_000L + after.getNanos(), TimeUnit.NANOSECONDS);
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
    }

    private static void cancel(@Nullable ScheduledFuture<?> one) {
        if (one != null) {
            one.cancel(false);
        }
    }

    // ---- failures ----

    private void failed(Retries.Failure failure, String flags, String details) {
        if (stopped) {
            return;
        }
        if (exchange.hasAnswerStarted()) {
            exchange.answerBroke(flags, details);
        } else if (retries.isFor(failure) && again()) {
            return;
        } else if (failure == Retries.Failure.PER_TRY_TIMEOUT) {
            exchange.answer(504, flags, details, TIMEOUT);
        } else {
            exchange.answer(503, flags, details, BROKEN);
        }
    }

    /// Whether another try is under way.
    private boolean again() {
        if (!replayable || retries.isExhausted() || stopped) {
            return false;
        }
        retries.use();
        current = null;
        pause = exchange.inner()
                .worker()
                .loop()
                .schedule(this::start, retries.backoff().toNanos(), TimeUnit.NANOSECONDS);
        return true;
    }

    /// One try, at one endpoint.
    private final class Try implements UpstreamEvents {
        private final Endpoint endpoint;
        private @Nullable Upstream upstream;
        private @Nullable ScheduledFuture<?> perTry;
        private boolean informational;
        private boolean answered;
        private boolean reusable;
        private boolean done;

        Try(Endpoint endpoint) {
            this.endpoint = endpoint;
        }

        void opened(@Nullable Upstream opened, @Nullable Throwable failure) {
            if (opened == null) {
                var why = ProxyException.of(failure == null ? new IllegalStateException() : failure);
                notOpened(why);
                return;
            }
            upstream = opened;
            if (done || stopped) {
                stop();
                return;
            }
            var head = new DefaultHttpRequest(
                    HttpVersion.HTTP_1_1,
                    request.httpMethod(),
                    request.onwardTarget(),
                    request.onward().copy());
            opened.channel().write(head).addListener(written -> {
                if (!written.isSuccess()) {
                    broke(String.valueOf(written.cause().getMessage()));
                }
            });
            replay.forEach(content -> opened.channel().write(content.retainedDuplicate()));
            opened.channel().flush();
            if (forward.getRetry().hasPerTryTimeout()) {
                perTry = later(forward.getRetry().getPerTryTimeout(), this::perTryTimeout);
            }
            opened.channel().read();
            readRequest();
        }

        private void notOpened(ProxyException why) {
            if (done || stopped) {
                return;
            }
            done = true;
            if (why.reason() == FailureReason.LIMIT) {
                exchange.inner().serving().metrics().limited("upstream_connections");
                exchange.answer(503, "UO", why.text(), BROKEN);
            } else {
                var refused = why.reason() == FailureReason.UPSTREAM_REFUSED;
                failed(refused ? Retries.Failure.REFUSED_STREAM : Retries.Failure.CONNECT, "UF", why.text());
            }
        }

        private void perTryTimeout() {
            if (!answered && !done) {
                giveUp();
                failed(Retries.Failure.PER_TRY_TIMEOUT, "UT", "upstream_per_try_timeout");
            }
        }

        /// Asks the client for more of the body, while it fits.
        private void readRequest() {
            if (upstream != null
                    && !requestEnded
                    && !reading
                    && upstream.channel().isWritable()
                    && !stopped) {
                reading = true;
                exchange.downstream().read();
            }
        }

        void send(HttpContent content) {
            if (upstream == null || done) {
                content.release();
                return;
            }
            upstream.channel().writeAndFlush(content, upstream.channel().voidPromise());
            readRequest();
        }

        @Override
        public void writable() {
            readRequest();
        }

        /// Asks the endpoint for more of the answer, while the client takes it.
        void readMore() {
            if (upstream != null && !done && exchange.downstream().isWritable()) {
                upstream.channel().read();
            }
        }

        @Override
        public void head(HttpResponse response) {
            if (done || upstream == null) {
                ReferenceCountUtil.release(response);
                return;
            }
            if (response.status().codeClass() == HttpStatusClass.INFORMATIONAL) {
                informational(response);
                return;
            }
            if (retries.isForAnswer(response.status().code(), grpcStatus(response))
                    && !retries.isExhausted()
                    && replayable) {
                ReferenceCountUtil.release(response);
                giveUp();
                again();
                return;
            }
            answered = true;
            cancel(perTry);
            replayable = false;
            dropReplay();
            reusable = HttpUtil.isKeepAlive(response)
                    && (HttpUtil.isContentLengthSet(response) || HttpUtil.isTransferEncodingChunked(response));
            var whole = response instanceof LastHttpContent;
            exchange.answerHead(response, target.backend().getResponseHeaders());
            if (whole) {
                exchange.answerWhole();
            } else {
                readMore();
            }
        }

        /// 100 Continue and its kind pass; another protocol is not supported.
        private void informational(HttpResponse response) {
            var whole = response instanceof LastHttpContent;
            ReferenceCountUtil.release(response);
            if (response.status().code() == 101) {
                giveUp();
                failed(Retries.Failure.RESET, "UPE", "the upstream switched protocols unasked");
                return;
            }
            informational = !whole;
            exchange.answerInformational(response.status());
            if (upstream != null) {
                upstream.channel().read();
            }
        }

        private static int grpcStatus(HttpResponse response) {
            var text = response.headers().get("grpc-status");
            return text != null && text.length() <= 2 && text.chars().allMatch(Character::isDigit) && !text.isEmpty()
                    ? Integer.parseInt(text)
                    : -1;
        }

        @Override
        public void content(HttpContent content) {
            if (informational) {
                informational = !(content instanceof LastHttpContent);
                content.release();
                if (upstream != null) {
                    upstream.channel().read();
                }
                return;
            }
            if (done || stopped) {
                content.release();
                return;
            }
            var last = content instanceof LastHttpContent;
            exchange.answerContent(content);
            if (!last) {
                readMore();
            }
        }

        @Override
        public void broke(String why) {
            if (done || stopped) {
                return;
            }
            done = true;
            cancel(perTry);
            var stale = upstream != null && upstream.isReused() && !answered && request.isIdempotent();
            if (stale && !staleTried && replayable) {
                staleTried = true; // the endpoint closed it before it saw the request (RFC 9112 §9.3.1)
                current = null;
                start();
                return;
            }
            failed(Retries.Failure.RESET, "UC", why);
        }

        private void giveUp() {
            done = true;
            cancel(perTry);
            if (upstream != null) {
                upstream.abort();
            }
        }

        /// The exchange is over; a connection that is done with it may carry another one.
        void stop() {
            if (upstream == null) {
                done = true;
                return;
            }
            if (done) {
                return;
            }
            done = true;
            cancel(perTry);
            if (answered && exchange.isAnswerComplete()) {
                exchange.inner().worker().upstreams().release(endpoint, upstream, reusable && requestEnded);
            } else {
                upstream.abort();
            }
        }
    }
}
