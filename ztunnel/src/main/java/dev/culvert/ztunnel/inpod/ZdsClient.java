package dev.culvert.ztunnel.inpod;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.daemon.retry.Backoff;
import dev.culvert.linux.fd.OwnedFd;
import dev.culvert.linux.netns.NetworkNamespace;
import dev.culvert.linux.socket.SeqPacketSocket;
import dev.culvert.protos.zds.Ack;
import dev.culvert.protos.zds.AddWorkload;
import dev.culvert.protos.zds.Version;
import dev.culvert.protos.zds.WorkloadRequest;
import dev.culvert.protos.zds.WorkloadResponse;
import dev.culvert.protos.zds.ZdsHello;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes pods from the node agent: one message, one answer, nothing unasked. Reconnects for ever; what runs goes on
/// meanwhile. One platform thread.
public final class ZdsClient implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("inpod");
    private static final int MAX_MESSAGE_BYTES = 1024;
    private static final int MAX_ERROR_CHARS = 500;
    private static final Duration SEND_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration RETRY = Duration.ofSeconds(5);
    /// Istio waits up to 15 s; but a socket of this node costs nothing to try, and new pods wait for us meanwhile.
    private static final Duration MAX_BACKOFF = Duration.ofSeconds(1);

    /// The agent broke the protocol; the connection is given up.
    private static final class ProtocolError extends IOException {
        private static final long serialVersionUID = 1L;

        ProtocolError(String message) {
            super(message);
        }
    }

    private final Path path;
    private final PodTable pods;
    private final Runnable onProgress;
    private volatile boolean closed;
    private volatile @Nullable SeqPacketSocket socket;
    private @Nullable Thread thread;

    /// @param onProgress called after each message, retry and disconnect, to look at readiness
    public ZdsClient(Path path, PodTable pods, Runnable onProgress) {
        this.path = path;
        this.pods = pods;
        this.onProgress = onProgress;
    }

    public void start() {
        thread = Thread.ofPlatform().name("zds").start(this::run);
    }

    public boolean isConnected() {
        return socket != null;
    }

    private void run() {
        var backoff = new Backoff(Duration.ofMillis(10), MAX_BACKOFF);
        while (!closed) {
            try (var connection = SeqPacketSocket.connect(path)) {
                socket = connection;
                backoff.reset();
                LOG.info("connected to the node agent at {}", path);
                converse(connection);
            } catch (IOException e) {
                LOG.debug("node agent at {}: {}", path, e.getMessage());
                if (socket != null && !closed) {
                    LOG.warn("connection to the node agent lost: {}; pods stay served", e.getMessage());
                }
            }
            socket = null;
            onProgress.run();
            pause(backoff.next());
        }
    }

    private void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException _) {
            closed = true;
        }
    }

    private void converse(SeqPacketSocket agent) throws IOException {
        pods.connected();
        agent.send(ZdsHello.newBuilder().setVersion(Version.V1).build().toByteArray(), SEND_TIMEOUT);
        var retryAt = System.nanoTime() + RETRY.toNanos();
        while (!closed) {
            var message = receive(agent, retryAt - System.nanoTime());
            if (message.isPresent()) {
                answer(agent, message.get());
            }
            if (System.nanoTime() - retryAt >= 0) { // also of an agent that is never silent
                pods.retryPending();
                retryAt = System.nanoTime() + RETRY.toNanos();
            }
            onProgress.run();
        }
    }

    /// Empty if nothing came in time.
    private static Optional<SeqPacketSocket.Message> receive(SeqPacketSocket agent, long nanos) throws IOException {
        try {
            var wait = Duration.ofMillis(Math.max(1, nanos / 1_000_000));
            return Optional.of(
                    agent.receive(MAX_MESSAGE_BYTES, wait).orElseThrow(() -> new IOException("closed by the agent")));
        } catch (SocketTimeoutException _) {
            return Optional.empty();
        }
    }

    private void answer(SeqPacketSocket agent, SeqPacketSocket.Message message) throws IOException {
        try {
            handle(message);
            agent.send(ack(""), SEND_TIMEOUT);
        } catch (ProtocolError bad) {
            agent.send(ack(String.valueOf(bad.getMessage())), SEND_TIMEOUT);
            throw bad;
        } catch (IOException failed) {
            LOG.warn("failure to start proxy: {}", failed.getMessage());
            agent.send(ack("failure to start proxy : " + failed.getMessage()), SEND_TIMEOUT);
        }
    }

    private static byte[] ack(String error) {
        var text = error.length() > MAX_ERROR_CHARS ? error.substring(0, MAX_ERROR_CHARS) : error;
        return WorkloadResponse.newBuilder()
                .setAck(Ack.newBuilder().setError(text))
                .build()
                .toByteArray();
    }

    /// Owns the descriptor first, so that no way out of here leaks it.
    void handle(SeqPacketSocket.Message message) throws IOException {
        var fd = message.fd().orElse(null);
        try {
            var request = parse(message.bytes());
            if (fd != null && request.getPayloadCase() != WorkloadRequest.PayloadCase.ADD) {
                throw new ProtocolError("a descriptor came with " + request.getPayloadCase());
            }
            switch (request.getPayloadCase()) {
                case ADD -> {
                    var owned = fd;
                    fd = null;
                    add(request.getAdd(), owned);
                }
                case DEL -> pods.delete(request.getDel().getUid());
                case KEEP -> keep(request.getKeep().getUid());
                case SNAPSHOT_SENT -> snapshotSent();
                case PAYLOAD_NOT_SET -> throw new ProtocolError("a message of an unknown kind");
            }
        } finally {
            if (fd != null) {
                fd.close();
            }
        }
    }

    private static WorkloadRequest parse(byte[] bytes) throws ProtocolError {
        try {
            return WorkloadRequest.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new ProtocolError("undecodable message: " + e.getMessage());
        }
    }

    private void add(AddWorkload add, @Nullable OwnedFd fd) throws IOException {
        if (fd == null) {
            throw new ProtocolError("Add without the descriptor of a network namespace");
        }
        if (!add.hasWorkloadInfo()) {
            fd.close();
            throw new ProtocolError("Add without workload_info");
        }
        var info = add.getWorkloadInfo();
        var id = new PodId(add.getUid(), info.getNamespace(), info.getName(), info.getServiceAccount());
        pods.add(id, NetworkNamespace.adopt(fd));
    }

    private void keep(String uid) throws ProtocolError {
        if (pods.isSnapshotReceived()) {
            throw new ProtocolError("Keep after the snapshot");
        }
        pods.keep(uid);
    }

    private void snapshotSent() throws ProtocolError {
        if (pods.isSnapshotReceived()) {
            throw new ProtocolError("SnapshotSent twice");
        }
        pods.snapshotSent();
    }

    @Override
    public void close() {
        closed = true;
        var open = socket;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                LOG.debug("closing the ZDS connection: {}", e.getMessage());
            }
        }
        if (thread != null) {
            thread.interrupt();
        }
    }
}
