package dev.culvert.ztunnel.inpod;

import dev.culvert.linux.socket.SeqPacketSocket;
import dev.culvert.protos.zds.AddWorkload;
import dev.culvert.protos.zds.DelWorkload;
import dev.culvert.protos.zds.KeepWorkload;
import dev.culvert.protos.zds.SnapshotSent;
import dev.culvert.protos.zds.WorkloadInfo;
import dev.culvert.protos.zds.WorkloadRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Two messages of something that says it is the node agent, without descriptors: no pod is ever served, and whatever
/// it says is refused in a sentence or has no effect.
public final class ZdsFuzz {
    private ZdsFuzz() {}

    static List<byte[]> samples() {
        return Stream.of(
                        WorkloadRequest.newBuilder()
                                .setAdd(AddWorkload.newBuilder()
                                        .setUid("uid")
                                        .setWorkloadInfo(WorkloadInfo.newBuilder()
                                                .setName("a")
                                                .setNamespace("shop")
                                                .setServiceAccount("a"))),
                        WorkloadRequest.newBuilder()
                                .setDel(DelWorkload.newBuilder().setUid("uid")),
                        WorkloadRequest.newBuilder()
                                .setKeep(KeepWorkload.newBuilder().setUid("uid")),
                        WorkloadRequest.newBuilder().setSnapshotSent(SnapshotSent.newBuilder()))
                .map(request -> {
                    var message = request.build().toByteArray();
                    var twice = new byte[1 + 2 * message.length];
                    twice[0] = (byte) message.length;
                    System.arraycopy(message, 0, twice, 1, message.length);
                    System.arraycopy(message, 0, twice, 1 + message.length, message.length);
                    return twice;
                })
                .toList();
    }

    /// The first byte says where the first message ends and the second begins.
    public static void fuzzerTestOneInput(byte[] data) {
        if (data.length == 0) {
            return;
        }
        var pods = new PodTable(
                (_, _) -> {
                    throw new AssertionError("a pod without a network namespace");
                },
                new SocketSettings(
                        1, true, true, true, java.time.Duration.ofSeconds(1), SocketSettings.Keepalive.DEFAULT));
        var client = new ZdsClient(Path.of("nowhere"), pods, () -> {});
        var cut = Math.min(data.length, 1 + (data[0] & 0xff));
        handle(client, java.util.Arrays.copyOfRange(data, 1, cut));
        handle(client, java.util.Arrays.copyOfRange(data, cut, data.length));
        if (!pods.running().isEmpty() || !pods.waiting().isEmpty()) {
            throw new AssertionError("pods: " + pods.running() + pods.waiting());
        }
    }

    private static void handle(ZdsClient client, byte[] message) {
        try {
            client.handle(new SeqPacketSocket.Message(message, Optional.empty()));
        } catch (IOException refused) {
            if (String.valueOf(refused.getMessage()).isBlank()) {
                throw new AssertionError("refused without a word", refused);
            }
        }
    }
}
