package dev.culvert.testkit;

import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The threads and sockets of this process at one time, to be compared with later.
/// @param threads platform threads only
/// @param sockets by the kernel's name, such as `socket:[4711]`
record Leftovers(Set<Thread> threads, Set<String> sockets) {
    /// Threads of the JVM and of Netty that are made once and stay.
    private static final Pattern OURS = Pattern.compile(
            "(ForkJoinPool|VirtualThread|Common-Cleaner|Cleaner|process reaper|globalEventExecutor|junit|surefire|Read-Poller"
                    + "|Write-Poller|MasterPoller|AsyncAppender|Attach|Signal|Reference|ObjectCleanerThread).*");

    Leftovers {
        threads = Set.copyOf(threads);
        sockets = Set.copyOf(sockets);
    }

    static Leftovers now() throws IOException {
        SocketChannel.open().close(); // the first one makes the JDK open sockets that stay
        return new Leftovers(Thread.getAllStackTraces().keySet(), openSockets());
    }

    private static Set<String> openSockets() {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.map(Leftovers::target)
                    .filter(target -> target.startsWith("socket:"))
                    .collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException gone) {
            return "";
        }
    }

    /// Buffers that nobody released are logged as errors by Netty, once they are collected.
    void assertNothingNew() {
        Await.until(
                () -> "threads have ended: " + newThreads(), () -> newThreads().isEmpty());
        Await.until(
                () -> "sockets are closed: " + newSockets(), () -> newSockets().isEmpty());
        reportLeaks();
    }

    private Set<String> newThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !threads.contains(thread) && thread.isAlive())
                .map(Thread::getName)
                .filter(name -> !OURS.matcher(name).matches())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<String> newSockets() {
        var now = openSockets();
        now.removeAll(sockets);
        return now;
    }

    /// The detector looks at what the collector has found whenever a buffer is made.
    private static void reportLeaks() {
        var collected = new ReferenceQueue<Object>();
        for (var round = 0; round < 2; round++) { // what the first round found is certainly handed out by the second
            var marker = new WeakReference<>(new Object(), collected);
            System.gc();
            Await.until("the garbage collector ran", () -> marker.equals(collected.poll()));
            ByteBufAllocator.DEFAULT.directBuffer(1).release();
        }
    }
}
