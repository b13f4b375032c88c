package dev.culvert.linux.socket;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Reads every frame that an interface sends or receives, on a platform thread of its own, until closed. It
/// must be opened inside the interface's network namespace; `start` may be called anywhere.
public final class PacketCapture implements AutoCloseable {
    private static final short ETH_P_ALL_BIG_ENDIAN = 0x0300;
    private static final int SO_RCVBUFFORCE = 33;
    private static final int SO_RCVBUF = 8;
    private static final int SOL_PACKET = 263;
    private static final int PACKET_STATISTICS = 6;
    private static final int RECEIVE_BUFFER_BYTES = 32 << 20;
    private static final int FRAME_BYTES = 1 << 18;
    private static final Duration WAKE_UP = Duration.ofMillis(50);

    private final OwnedFd fd;
    private final AtomicReference<@Nullable Thread> reader = new AtomicReference<>();
    private volatile boolean closing;
    private final AtomicLong handed = new AtomicLong();
    private long seen;
    private long dropped;

    private PacketCapture(OwnedFd fd) {
        this.fd = fd;
    }

    /// Opens a capture on `device` of the calling thread's network namespace. Frames are kept by the kernel
    /// from now on.
    public static PacketCapture open(String device) throws IOException {
        var type = Libc.SOCK_RAW | Libc.SOCK_CLOEXEC;
        // Protocol 0 receives nothing until bind names the interface.
        var fd = OwnedFd.adopt((int) Libc.SOCKET.invoke("AF_PACKET, SOCK_RAW", Libc.AF_PACKET, type, 0));
        try (var arena = Arena.ofConfined()) {
            growBuffer(fd.number(), arena);
            var index = Libc.IF_NAMETOINDEX.invokeNonZero(device, arena.allocateFrom(device));
            var address = arena.allocate(20, 4);
            address.set(JAVA_SHORT, 0, (short) Libc.AF_PACKET);
            address.set(JAVA_SHORT, 2, ETH_P_ALL_BIG_ENDIAN);
            address.set(JAVA_INT, 4, (int) index);
            Libc.BIND.invoke(device, fd.number(), address, (int) address.byteSize());
            return new PacketCapture(fd);
        } catch (IOException | RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    private static void growBuffer(int fd, Arena arena) throws LinuxException {
        var size = arena.allocateFrom(JAVA_INT, RECEIVE_BUFFER_BYTES);
        try {
            Libc.SETSOCKOPT.invoke("SO_RCVBUFFORCE", fd, Libc.SOL_SOCKET, SO_RCVBUFFORCE, size, Integer.BYTES);
        } catch (LinuxException e) {
            if (e.errno() != Errno.EPERM) { // not in the first user namespace: as much as anybody may have
                throw e;
            }
            Libc.SETSOCKOPT.invoke("SO_RCVBUF", fd, Libc.SOL_SOCKET, SO_RCVBUF, size, Integer.BYTES);
        }
    }

    /// Hands each frame, link-layer header first, to `frames` on the reading thread.
    public PacketCapture start(Consumer<byte[]> frames) {
        var thread = Thread.ofPlatform().name("packet-capture").daemon().unstarted(() -> read(frames));
        if (!reader.compareAndSet(null, thread)) {
            throw new IllegalStateException("already started");
        }
        thread.start();
        return this;
    }

    private void read(Consumer<byte[]> frames) {
        try (var arena = Arena.ofConfined()) {
            var buffer = arena.allocate(FRAME_BYTES);
            while (!closing) {
                fd.use(number -> readAvailable(number, buffer, frames));
            }
        } catch (ClosedChannelException e) {
            // closed between two reads
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int readAvailable(int number, MemorySegment buffer, Consumer<byte[]> frames) throws LinuxException {
        if (!Polling.ready(number, Libc.POLLIN, WAKE_UP)) {
            return 0;
        }
        try {
            var length = Libc.RECV.invoke(fd.toString(), number, buffer, buffer.byteSize(), Libc.MSG_DONTWAIT);
            frames.accept(buffer.asSlice(0, length).toArray(JAVA_BYTE));
            handed.incrementAndGet();
        } catch (LinuxException e) {
            if (e.errno() != Errno.EAGAIN && e.errno() != Errno.ENETDOWN) {
                throw e;
            }
        }
        return 1;
    }

    /// Waits until everything that crossed the interface before this call has been handed over, whatever crosses
    /// meanwhile; false after `timeout`.
    public boolean awaitDrained(Duration timeout) throws IOException, InterruptedException {
        var start = System.nanoTime();
        var kept = kept();
        while (handed.get() < kept) {
            if (System.nanoTime() - start > timeout.toNanos()) {
                return false;
            }
            Thread.sleep(WAKE_UP);
        }
        return true;
    }

    /// How many frames the kernel had to throw away because we were slow: with any, absence proves nothing.
    public synchronized long dropped() throws IOException {
        count();
        return dropped;
    }

    private synchronized long kept() throws IOException {
        count();
        return seen - dropped;
    }

    /// packet(7), PACKET_STATISTICS: what was thrown away is among what was seen, and reading starts both counts anew.
    private void count() throws IOException {
        fd.use(number -> {
            try (var arena = Arena.ofConfined()) {
                var statistics = arena.allocate(JAVA_INT, 2);
                var length = arena.allocateFrom(JAVA_INT, (int) statistics.byteSize());
                Libc.GETSOCKOPT.invoke("PACKET_STATISTICS", number, SOL_PACKET, PACKET_STATISTICS, statistics, length);
                seen += Integer.toUnsignedLong(statistics.getAtIndex(JAVA_INT, 0));
                dropped += Integer.toUnsignedLong(statistics.getAtIndex(JAVA_INT, 1));
                return 0;
            }
        });
    }

    @Override
    public void close() throws IOException {
        closing = true;
        var thread = reader.get();
        if (thread != null) {
            joinUninterruptibly(thread);
        }
        fd.close();
    }

    private static void joinUninterruptibly(Thread thread) {
        var interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
