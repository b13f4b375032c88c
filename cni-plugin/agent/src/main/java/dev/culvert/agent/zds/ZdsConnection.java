package dev.culvert.agent.zds;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.culvert.linux.socket.SeqPacketSocket;
import dev.culvert.protos.zds.AddWorkload;
import dev.culvert.protos.zds.KeepWorkload;
import dev.culvert.protos.zds.SnapshotSent;
import dev.culvert.protos.zds.Version;
import dev.culvert.protos.zds.WorkloadRequest;
import dev.culvert.protos.zds.WorkloadResponse;
import dev.culvert.protos.zds.ZdsHello;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One ztunnel's conversation, told by `serve` on one platform thread. Other threads only leave messages in
/// the queue.
final class ZdsConnection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ZdsConnection.class);
    private static final int MESSAGE_BYTES = 1024;
    private static final Duration GLANCE = Duration.ofMillis(10);

    private final SeqPacketSocket socket;
    private final ZdsLimits limits;
    private final BlockingQueue<Update> updates;
    private boolean ended;

    /// A message that waits for its turn.
    /// @param acked completes with an empty text, or with the reason of the refusal
    record Update(WorkloadRequest request, Optional<ServedPod> pod, CompletableFuture<String> acked) {}

    ZdsConnection(SeqPacketSocket socket, ZdsLimits limits) {
        this.socket = socket;
        this.limits = limits;
        this.updates = new ArrayBlockingQueue<>(limits.queue());
    }

    /// Leaves a message; the future fails when the connection ends first.
    synchronized CompletableFuture<String> enqueue(WorkloadRequest request, Optional<ServedPod> pod) {
        var update = new Update(request, pod, new CompletableFuture<>());
        if (ended || !updates.offer(update)) {
            update.acked.completeExceptionally(new ZdsException(
                    ended ? "the ztunnel connection has ended" : "too many messages wait for ztunnel"));
        }
        return update.acked;
    }

    /// From hello to end. Returns when ztunnel has gone.
    /// @throws IOException it broke the protocol, or did not answer in time: without numbers in the protocol
    /// a late ack would be
    ///     taken for the next message's, so the connection is given up and ztunnel gets a fresh snapshot on
    /// its next one
    void serve(Supplier<List<ServedPod>> snapshot, Runnable ready) throws IOException, InterruptedException {
        try (socket) {
            if (!awaitHello()) {
                return;
            }
            for (var pod : snapshot.get()) {
                var refusal = sendSnapshotOf(pod);
                if (!refusal.isEmpty()) {
                    LOG.warn("ztunnel refused pod {} of the snapshot: {}", pod.uid(), refusal);
                }
            }
            var sent = WorkloadRequest.newBuilder().setSnapshotSent(SnapshotSent.getDefaultInstance());
            exchange(sent.build(), Optional.empty());
            ready.run();
            while (serveNext()) {}
        } finally {
            end();
        }
    }

    private boolean awaitHello() throws IOException {
        var message = socket.receive(MESSAGE_BYTES, limits.answer());
        if (message.isEmpty()) {
            return false;
        }
        var hello = ZdsHello.parseFrom(bytesOnly(message.get()));
        if (hello.getVersion() != Version.V1) {
            throw new ZdsException("hello of unknown version " + hello.getVersionValue());
        }
        return true;
    }

    private String sendSnapshotOf(ServedPod pod) throws IOException {
        if (pod.netns().isPresent()) {
            return exchange(add(pod), Optional.of(pod));
        }
        var keep = KeepWorkload.newBuilder().setUid(pod.uid());
        return exchange(WorkloadRequest.newBuilder().setKeep(keep).build(), Optional.empty());
    }

    static WorkloadRequest add(ServedPod pod) {
        var add = AddWorkload.newBuilder().setUid(pod.uid()).setWorkloadInfo(pod.info());
        return WorkloadRequest.newBuilder().setAdd(add).build();
    }

    /// One update, or one glance at an idle peer; false at its end.
    private boolean serveNext() throws IOException, InterruptedException {
        var update = updates.poll(limits.idle().toNanos(), TimeUnit.NANOSECONDS);
        if (update == null) {
            return peerIsThere();
        }
        try {
            update.acked.complete(exchange(update.request, update.pod));
            return true;
        } catch (IOException | RuntimeException e) {
            update.acked.completeExceptionally(e);
            throw e;
        }
    }

    private boolean peerIsThere() throws IOException {
        try {
            var message = socket.receive(MESSAGE_BYTES, GLANCE);
            if (message.isPresent()) {
                bytesOnly(message.get());
                throw new ZdsException("ztunnel spoke unasked");
            }
            return false;
        } catch (SocketTimeoutException e) {
            return true;
        }
    }

    /// Sends one message and waits for its ack; the text of a refusal, or empty.
    private String exchange(WorkloadRequest request, Optional<ServedPod> pod) throws IOException {
        var bytes = request.toByteArray();
        if (bytes.length > MESSAGE_BYTES) {
            return "message of " + bytes.length + " bytes; ztunnel reads at most " + MESSAGE_BYTES;
        }
        if (pod.isPresent()) {
            var netns = pod.get().netns().orElseThrow();
            if (netns.fd().isClosed()) {
                return "the pod has gone meanwhile";
            }
            socket.send(bytes, netns.fd(), limits.answer());
        } else {
            socket.send(bytes, limits.answer());
        }
        var message = socket.receive(MESSAGE_BYTES, limits.answer())
                .orElseThrow(() -> new ZdsException("ztunnel left without an ack"));
        return refusal(bytesOnly(message));
    }

    private static String refusal(byte[] bytes) throws IOException {
        WorkloadResponse response;
        try {
            response = WorkloadResponse.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new ZdsException("not a response: " + e.getMessage());
        }
        if (!response.hasAck()) {
            throw new ZdsException("a response without an ack");
        }
        return response.getAck().getError();
    }

    private static byte[] bytesOnly(SeqPacketSocket.Message message) throws IOException {
        if (message.fd().isPresent()) {
            message.fd().get().close();
            throw new ZdsException("ztunnel sent a descriptor");
        }
        return message.bytes();
    }

    private void end() {
        var left = new ArrayList<Update>();
        synchronized (this) {
            ended = true;
            updates.drainTo(left);
        }
        for (var update : left) {
            update.acked.completeExceptionally(new ZdsException("the ztunnel connection has ended"));
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
