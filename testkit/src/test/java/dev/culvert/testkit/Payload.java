package dev.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/// Bytes of a seed, to be sent and compared.
record Payload(long seed, int bytes) {
    private static final int BLOCK = 1 << 16;

    void sendTo(Connection to) {
        sendTo(to, new AtomicLong());
    }

    /// @param written counts what the socket took so far
    void sendTo(Connection to, AtomicLong written) {
        var random = new Random(seed);
        var block = new byte[BLOCK];
        for (var left = bytes; left > 0; left -= BLOCK) {
            random.nextBytes(block);
            var buffer = ByteBuffer.wrap(block, 0, Math.min(left, BLOCK));
            while (buffer.hasRemaining()) {
                written.addAndGet(to.write(buffer));
            }
        }
    }

    /// Reads and compares all of it.
    void expectFrom(Connection from) {
        var random = new Random(seed);
        var expected = new byte[BLOCK];
        var block = ByteBuffer.allocate(BLOCK);
        for (var left = bytes; left > 0; left -= BLOCK) {
            block.clear().limit(Math.min(left, BLOCK));
            while (block.hasRemaining()) {
                assertThat(from.read(block))
                        .as("FIN with %s bytes to come", left)
                        .isPositive();
            }
            random.nextBytes(expected);
            assertThat(ByteBuffer.wrap(expected, 0, block.limit()))
                    .as("bytes of seed %s, %s before the end", seed, left)
                    .isEqualTo(block.flip());
        }
    }
}
