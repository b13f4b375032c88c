package dev.culvert.istiod.xds;

import dev.culvert.istiod.ca.Caller;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The conversation with one client. gRPC's threads and [#wake] only put events into a bounded queue; one virtual
/// thread does the rest.
abstract sealed class Conversation<Q, R> implements Client, StreamObserver<Q> permits ClientStream, GrpcStream {
    static final Logger LOG = LoggerFactory.getLogger("xds");
    private static final int QUEUE = 256;

    private sealed interface Event<Q> {
        record Request<Q>(Q request) implements Event<Q> {}

        record Wake<Q>() implements Event<Q> {}

        record End<Q>() implements Event<Q> {}
    }

    /// @param thread its name
    /// @param proof of who calls, for messages
    /// @param turn after which [#push] is called even if nothing happened; null for never
    record Manner(String thread, String proof, @Nullable Duration turn) {}

    final XdsServer server;
    final ServerCallStreamObserver<R> responses;
    final Optional<Caller> caller;
    private final Manner manner;
    private final BlockingQueue<Event<Q>> events = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicBoolean awake = new AtomicBoolean();
    private volatile String name = "unknown";
    private volatile String lastNack = "";
    private boolean ended;

    /// @param caller who has proved to call
    Conversation(XdsServer server, ServerCallStreamObserver<R> responses, Optional<Caller> caller, Manner manner) {
        this.server = server;
        this.responses = responses;
        this.caller = caller;
        this.manner = manner;
        responses.setOnCancelHandler(() -> put(new Event.End<>()));
    }

    /// Takes in what the client says.
    ///
    /// @throws IllegalArgumentException for what no client may ask
    /// @throws SecurityException if it is not who it says
    abstract void request(Q request);

    /// Sends what there is to be sent. Not called once the conversation has ended.
    abstract void push();

    @Override
    public final void start() {
        Thread.ofVirtual().name(manner.thread).start(this::run);
    }

    @Override
    public final String name() {
        return name;
    }

    final void name(String said) {
        name = said;
    }

    final String lastNack() {
        return lastNack;
    }

    final void refused(String type, String why) {
        lastNack = why;
        LOG.error("client {} refused a part of {}: {}", name, type, why);
    }

    @Override
    public final void wake() {
        if (awake.compareAndSet(false, true)) {
            put(new Event.Wake<>());
        }
    }

    @Override
    public final void onNext(Q request) {
        put(new Event.Request<>(request));
    }

    @Override
    public final void onError(Throwable cause) {
        put(new Event.End<>());
    }

    @Override
    public final void onCompleted() {
        put(new Event.End<>());
    }

    private void put(Event<Q> event) {
        if (!events.offer(event)) {
            LOG.warn("client {} sends faster than it is served; its stream is ended", name);
            events.clear();
            events.add(new Event.End<>());
        }
    }

    private void run() {
        try {
            while (!ended) {
                var event = manner.turn == null
                        ? events.take()
                        : events.poll(manner.turn.toMillis(), TimeUnit.MILLISECONDS);
                if (event != null) {
                    handle(event);
                }
                if (!ended && !responses.isCancelled()) {
                    push();
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (IllegalArgumentException bad) {
            LOG.warn("client {}: {}", name, bad.getMessage());
            responses.onError(
                    Status.INVALID_ARGUMENT.withDescription(bad.getMessage()).asRuntimeException());
        } catch (SecurityException notItself) {
            LOG.warn("client {}: {}", name, notItself.getMessage());
            responses.onError(Status.PERMISSION_DENIED
                    .withDescription("the node's namespace is not that of the " + manner.proof)
                    .asRuntimeException());
        } catch (RuntimeException failed) {
            LOG.debug("client {} ended", name, failed);
        } finally {
            server.ended(this);
        }
    }

    private void handle(Event<Q> event) {
        switch (event) {
            case Event.Request<Q>(var request) -> request(request);
            case Event.Wake<Q>() -> awake.set(false);
            case Event.End<Q>() -> {
                ended = true;
                if (!responses.isCancelled()) {
                    responses.onCompleted();
                }
            }
        }
    }
}
