package dev.culvert.linux.netns;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.culvert.linux.LinuxException;
import dev.culvert.linux.call.Libc;
import dev.culvert.linux.fd.OwnedFd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/// A network namespace, held by a descriptor of its own. Thread-safe; the kernel keeps the namespace as long
/// as this is open.
public final class NetworkNamespace implements AutoCloseable {
    private static final int CLONE_NEWNET = 0x40000000;
    private static final long NS_GET_NSTYPE = 0xb703;
    private static final int STAT_BYTES = 256;
    private static final int EINVAL = 22;
    private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);

    private final OwnedFd fd;
    private final Id id;

    /// What makes two descriptors the same namespace.
    public record Id(long device, long inode) {}

    private NetworkNamespace(OwnedFd fd, Id id) {
        this.fd = fd;
        this.id = id;
    }

    /// Opens `/run/netns/…`, `/proc/…/ns/net` and the like.
    public static NetworkNamespace open(Path path) throws IOException {
        return adopt(OwnedFd.open(path));
    }

    /// Takes over a received descriptor; closes it if it is not one of a network namespace.
    public static NetworkNamespace adopt(OwnedFd fd) throws IOException {
        try {
            return new NetworkNamespace(fd, fd.use(NetworkNamespace::checkedId));
        } catch (IOException | RuntimeException e) {
            fd.close();
            throw e;
        }
    }

    /// The one that the calling thread is in.
    public static NetworkNamespace current() throws IOException {
        return open(Path.of("/proc/thread-self/ns/net"));
    }

    private static Id checkedId(int fd) throws LinuxException {
        var type = Libc.IOCTL.invoke(fd + ", NS_GET_NSTYPE", fd, NS_GET_NSTYPE, 0L);
        if (type != CLONE_NEWNET) {
            throw new LinuxException("ioctl", fd + ", NS_GET_NSTYPE: not a network namespace but " + type, EINVAL);
        }
        try (var arena = Arena.ofConfined()) {
            var stat = arena.allocate(STAT_BYTES, Long.BYTES);
            Libc.FSTAT.invoke(Integer.toString(fd), fd, stat);
            return new Id(stat.getAtIndex(JAVA_LONG, 0), stat.getAtIndex(JAVA_LONG, 1));
        }
    }

    public Id id() {
        return id;
    }

    /// The descriptor, still owned here.
    public OwnedFd fd() {
        return fd;
    }

    /// Something done inside a namespace.
    @FunctionalInterface
    public interface Body<T, E extends Exception> {
        T run() throws E;
    }

    /// Runs `body` inside this namespace, on the calling platform thread, and goes back. Sockets made inside
    /// stay there; a thread or process started inside would too, so start none. If going back fails the
    /// process is halted: a thread that is lost in a stranger's namespace must not serve anybody. The process's own
    /// namespace is not entered, so it needs no rights.
    public <T, E extends Exception> T call(Body<T, E> body) throws E, IOException {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("a virtual thread would leave its carrier in another network namespace");
        }
        if (INSIDE.get()) {
            throw new IllegalStateException("already inside a network namespace");
        }
        if (id.equals(Home.ID)) {
            return body.run();
        }
        return fd.use(inside -> Home.FD.use(home -> enterAndReturn(inside, home, () -> outcome(body))))
                .orElseThrow();
    }

    private <T> T enterAndReturn(int inside, int home, Body<T, RuntimeException> body) throws LinuxException {
        Libc.SETNS.invoke(this + ", CLONE_NEWNET", inside, CLONE_NEWNET);
        INSIDE.set(true);
        try {
            return body.run();
        } finally {
            goBack(home);
            INSIDE.set(false);
        }
    }

    private static void goBack(int home) {
        try {
            Libc.SETNS.invoke("home, CLONE_NEWNET", home, CLONE_NEWNET);
        } catch (Throwable e) {
            System.err.println("cannot leave a network namespace, halting: " + e);
            Runtime.getRuntime().halt(70);
        }
    }

    private static <T, E extends Exception> Outcome<T, E> outcome(Body<T, E> body) {
        try {
            return new Outcome.Value<>(body.run());
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            @SuppressWarnings("unchecked") // `body` throws nothing else that is checked.
            var failure = (E) e;
            return new Outcome.Failure<>(failure);
        }
    }

    private sealed interface Outcome<T, E extends Exception> {
        record Value<T, E extends Exception>(T value) implements Outcome<T, E> {}

        record Failure<T, E extends Exception>(E failure) implements Outcome<T, E> {}

        default T orElseThrow() throws E {
            return switch (this) {
                case Value<T, E>(var value) -> value;
                case Failure<T, E>(var failure) -> throw failure;
            };
        }
    }

    /// Where all threads of this process are when they are not inside: the namespace of its first thread,
    /// which never enters one.
    private static final class Home {
        static final OwnedFd FD = open();
        static final Id ID = id(FD);

        private static Id id(OwnedFd fd) {
            try {
                return fd.use(NetworkNamespace::checkedId);
            } catch (IOException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private static OwnedFd open() {
            try {
                return OwnedFd.open(Path.of("/proc/self/ns/net"));
            } catch (LinuxException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }

    @Override
    public void close() throws LinuxException {
        fd.close();
    }

    @Override
    public String toString() {
        return "net:[" + id.inode() + "]";
    }
}
