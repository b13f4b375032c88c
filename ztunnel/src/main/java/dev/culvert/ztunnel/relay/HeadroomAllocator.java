package dev.culvert.ztunnel.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelConfig;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/// Receive buffers with room for an HTTP/2 frame header in front, so that what is read from an application becomes a
/// frame without a copy. They grow with the traffic to four TLS records.
final class HeadroomAllocator implements RecvByteBufAllocator {
    static final HeadroomAllocator INSTANCE = new HeadroomAllocator();

    private static final int HEADROOM = 9;
    private static final int[] SIZES = {2048, 8192, 16384, 65536};
    private static final int MAX_MESSAGES = 4;

    private HeadroomAllocator() {}

    @Override
    @SuppressWarnings("deprecation")
    public Handle newHandle() {
        return new Sizing();
    }

    @SuppressWarnings("deprecation")
    private static final class Sizing implements ExtendedHandle {
        private int size;
        private int smaller;
        private int messages;
        private int attempted;
        private int last;

        @Override
        public ByteBuf allocate(ByteBufAllocator allocator) {
            return allocator.directBuffer(guess()).setIndex(HEADROOM, HEADROOM);
        }

        @Override
        public int guess() {
            return SIZES[size];
        }

        @Override
        public void reset(ChannelConfig config) {
            messages = 0;
        }

        @Override
        public void incMessagesRead(int count) {
            messages += count;
        }

        @Override
        public void lastBytesRead(int bytes) {
            last = bytes;
            if (bytes == attempted && size < SIZES.length - 1) {
                size++;
                smaller = 0;
            } else if (bytes > 0 && size > 0 && bytes < SIZES[size - 1] / 2 && ++smaller > 8) {
                size--;
                smaller = 0;
            }
        }

        @Override
        public int lastBytesRead() {
            return last;
        }

        @Override
        public void attemptedBytesRead(int bytes) {
            attempted = bytes;
        }

        @Override
        public int attemptedBytesRead() {
            return attempted;
        }

        @Override
        public boolean continueReading() {
            return messages < MAX_MESSAGES && last == attempted;
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier maybeMore) {
            return messages < MAX_MESSAGES && maybeMore.get();
        }

        @Override
        public void readComplete() {}
    }
}
