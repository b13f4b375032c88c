package dev.culvert.waypoint.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class MessageCountTest {
    private static ByteBuf messages(int... lengths) {
        var all = Unpooled.buffer();
        for (var length : lengths) {
            all.writeByte(0).writeInt(length).writeZero(length);
        }
        return all;
    }

    @Test
    void messagesAreCountedHoweverTheyAreCut() {
        var seed = System.nanoTime();
        var random = new Random(seed);
        for (var round = 0; round < 500; round++) {
            var lengths = random.ints(random.nextInt(20), 0, 70).toArray();
            var bytes = messages(lengths);
            var count = new MessageCount();
            while (bytes.isReadable()) {
                count.read(bytes.readSlice(1 + random.nextInt(Math.min(40, bytes.readableBytes()))));
            }
            assertThat(count.count()).as("seed %d, round %d", seed, round).isEqualTo(lengths.length);
        }
    }

    /// The length is unsigned; what is announced and has not come counts as begun.
    @Test
    void aHugeLengthIsOneMessage() {
        var count = new MessageCount();
        count.read(Unpooled.buffer().writeByte(1).writeInt(-1).writeZero(1000));
        assertThat(count.count()).isEqualTo(1);
        count.read(Unpooled.buffer().writeZero(100_000));
        assertThat(count.count()).isEqualTo(1);
    }

    @Test
    void aPrefixThatIsNotWholeIsNone() {
        var count = new MessageCount();
        count.read(messages(3).readSlice(4));
        assertThat(count.count()).isZero();
    }
}
