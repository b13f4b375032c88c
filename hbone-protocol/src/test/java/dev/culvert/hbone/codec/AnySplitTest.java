package dev.culvert.hbone.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/// However the bytes are cut, the same things happen; whatever the bytes are, nothing but an orderly end does.
class AnySplitTest {
    @RepeatedTest(50)
    void anySplitOfTheBytesGivesTheSameStream(RepetitionInfo info) {
        var random = new Random(info.getCurrentRepetition());
        var text = "0123456789abcdef".repeat(200);
        try (var peer = Peer.ofServer()) {
            var all = peer.channel.alloc().buffer();
            append(all, peer.connect(1, "198.18.1.2:80"));
            append(all, peer.bytes(FrameTypes.PING, 0, 0, new int[8]));
            append(all, peer.bytes(FrameTypes.DATA, 0, 1, text.chars().toArray()));
            append(all, peer.bytes(FrameTypes.DATA, FrameTypes.PADDED, 1, 3, 'x', 0, 0, 0));
            append(all, peer.bytes(FrameTypes.DATA, FrameTypes.END_STREAM, 1));
            while (all.isReadable()) {
                peer.send(all.readRetainedSlice(1 + random.nextInt(Math.min(all.readableBytes(), 700))));
            }
            all.release();
            assertThat(peer.broken).isNull();
            assertThat(peer.seen.getFirst().data).hasToString(text + "x");
            assertThat(peer.seen.getFirst().ended).isTrue();
        }
    }

    private static void append(ByteBuf all, ByteBuf part) {
        all.writeBytes(part);
        part.release();
    }

    @RepeatedTest(300)
    void randomBytesEndInAnOrderlyWay(RepetitionInfo info) {
        var random = new Random(1_000_000L + info.getCurrentRepetition());
        try (var peer = Peer.ofServer()) {
            peer.send(peer.connect(1, "198.18.1.2:80"));
            for (var i = 0; i < 60 && peer.channel.isOpen(); i++) {
                var payload = random.ints(random.nextInt(40), 0, 256).toArray();
                peer.frame(random.nextInt(12), random.nextInt(256), random.nextInt(6), payload);
            }
            assertThat(peer.channel.isOpen() || peer.broken != null).isTrue();
        }
    }
}
