package dev.culvert.ztunnel.dns;

import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.ztunnel.dns.message.Query;
import dev.culvert.ztunnel.dns.message.Reply;
import dev.culvert.ztunnel.inpod.PodSockets;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One question that is passed on, from sockets inside the pod: to the next name server whenever the last one failed
/// or has been silent for a second, each of them twice, until one answers or time is over. Whoever was asked before may
/// still answer. Confined to its loop.
final class Forward {
    private static final long SILENCE_MILLIS = 1000;
    private static final int ROUNDS = 2;
    private static final SecureRandom IDS = new SecureRandom();

    private final DnsShared shared;
    private final PodSockets sockets;
    private final EventLoop loop;
    private final Query query;
    private final Transport transport;

    private final List<InetSocketAddress> left = new ArrayList<>();
    private final List<Channel> open = new ArrayList<>();
    private final CompletableFuture<Reply> result = new CompletableFuture<>();
    private @Nullable ScheduledFuture<?> silence;
    private @Nullable Reply unhelpful;
    private String why = "no name server is known";
    private int waitingFor;

    /// Nobody answered.
    static final class NoAnswerException extends Exception {
        private static final long serialVersionUID = 1L;

        NoAnswerException(String why) {
            super(why, null, false, false);
        }
    }

    Forward(DnsShared shared, PodSockets sockets, EventLoop loop, Query query, Transport transport) {
        this.shared = shared;
        this.sockets = sockets;
        this.loop = loop;
        this.query = query;
        this.transport = transport;
    }

    /// Completes on the loop; fails with [NoAnswerException].
    CompletableFuture<Reply> start() {
        assert loop.inEventLoop();
        for (var round = 0; round < ROUNDS; round++) {
            left.addAll(shared.servers());
        }
        var limit = shared.settings().limits().forward();
        var deadline = loop.schedule(
                () -> end("no answer within " + limit.toMillis() + " ms"), limit.toMillis(), TimeUnit.MILLISECONDS);
        result.whenComplete((_, _) -> {
            deadline.cancel(false);
            cancelSilence();
            open.forEach(Channel::close);
        });
        next();
        return result;
    }

    private void cancelSilence() {
        if (silence != null) {
            silence.cancel(false);
            silence = null;
        }
    }

    private void next() {
        cancelSilence();
        if (result.isDone()) {
            return;
        }
        if (left.isEmpty()) {
            if (waitingFor == 0) {
                end(why);
            }
            return;
        }
        var server = left.removeFirst();
        waitingFor++;
        if (!left.isEmpty()) {
            silence = loop.schedule(this::next, SILENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
        try {
            ask(new UpstreamSocket(this, query, server, IDS.nextInt(1 << 16)));
        } catch (UncheckedIOException e) {
            failed(server, String.valueOf(e.getMessage()));
        }
    }

    private void ask(UpstreamSocket socket) {
        var opening =
                switch (transport) {
                    case UDP -> sockets.connectUdp(loop, socket.server(), socket.overUdp());
                    case TCP -> sockets.connect(loop, socket.server(), null, socket.overTcp());
                };
        open.add(opening.channel());
        opening.addListener((ChannelFuture done) -> {
            if (done.isSuccess()) {
                socket.send(done.channel());
            } else {
                socket.broken(done.cause());
            }
        });
    }

    // ---- for the sockets ----

    void answered(InetSocketAddress server, Reply reply) {
        waitingFor--;
        if (reply.isUnhelpful()) {
            unhelpful = reply;
            why = Addresses.text(server) + " answered " + reply.rcodeText();
            next();
        } else {
            shared.answered(server);
            result.complete(reply);
        }
    }

    void failed(InetSocketAddress server, String cause) {
        waitingFor--;
        why = Addresses.text(server) + ": " + cause;
        next();
    }

    void ignored() {
        shared.metrics().ignored();
    }

    /// The best that there is: a server that says no, else nothing.
    private void end(String reason) {
        if (unhelpful != null) {
            result.complete(unhelpful);
        } else {
            result.completeExceptionally(new NoAnswerException(reason));
        }
    }
}
