package dev.culvert.agent.event;

import dev.culvert.json.Json;
import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import jdk.net.ExtendedSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves HTTP/1.1 on a UNIX socket that only root and this process's own user may use: the file has mode 0600, and
/// each peer's credentials are asked of the kernel. One request a connection, one virtual thread each. Thread-safe.
public final class EventServer implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(EventServer.class);

    private final Path socket;
    private final ServerSocketChannel listener;
    private final Object fileKey;
    private final Handler handler;
    private final EventLimits limits;
    private final Set<UserPrincipal> allowed;
    private final Semaphore places;
    private final Semaphore refusals;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private final Map<Integer, LongAdder> answers = new ConcurrentHashMap<>();
    private final ScheduledExecutorService alarms = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("event-alarms").factory());

    /// Does what is asked. Blocks.
    interface Handler {
        /// @throws EventException the answer is not 200
        void handle(String path, Json.Obj message) throws EventException, InterruptedException;
    }

    private EventServer(
            Path socket, ServerSocketChannel listener, Handler handler, EventLimits limits, Set<UserPrincipal> allowed)
            throws IOException {
        this.socket = socket;
        this.listener = listener;
        this.fileKey = fileKey(socket);
        this.handler = handler;
        this.limits = limits;
        this.places = new Semaphore(limits.requests());
        this.refusals = new Semaphore(limits.requests());
        this.allowed = allowed;
    }

    /// Listens on `socket`, taking the place of a former agent's.
    public static EventServer listen(Path socket, PluginEvents events, EventLimits limits) throws IOException {
        return listen(socket, events, limits, rootAndOwn());
    }

    private static Set<UserPrincipal> rootAndOwn() throws IOException {
        var users = FileSystems.getDefault().getUserPrincipalLookupService();
        var own = Files.getOwner(Path.of("/proc/self"));
        var root = users.lookupPrincipalByName("0");
        return own.equals(root) ? Set.of(root) : Set.of(root, own);
    }

    static EventServer listen(Path socket, Handler handler, EventLimits limits, Set<UserPrincipal> allowed)
            throws IOException {
        var listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            bind(listener, socket);
            var server = new EventServer(socket, listener, handler, limits, allowed);
            Thread.ofVirtual().name("events-accept").start(server::acceptAll);
            return server;
        } catch (IOException | RuntimeException e) {
            listener.close();
            throw e;
        }
    }

    /// In a folder of its own (0700) first, so that at no moment anybody else may connect.
    private static void bind(ServerSocketChannel listener, Path socket) throws IOException {
        var parent = socket.toAbsolutePath().getParent();
        Files.createDirectories(
                parent, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
        var closed = Files.createTempDirectory(parent, ".s");
        try {
            var first = closed.resolve("s");
            listener.bind(UnixDomainSocketAddress.of(first));
            Files.setPosixFilePermissions(first, PosixFilePermissions.fromString("rw-------"));
            Files.move(first, socket, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(closed.resolve("s"));
            Files.delete(closed);
        }
    }

    private static Object fileKey(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    private void acceptAll() {
        try {
            while (true) {
                var channel = listener.accept();
                if (places.tryAcquire()) {
                    begin(channel, places, this::serve);
                } else if (refusals.tryAcquire()) {
                    begin(channel, refusals, this::refuse);
                } else {
                    channel.close();
                }
            }
        } catch (ClosedChannelException e) {
            LOG.debug("no more events are accepted");
        } catch (IOException e) {
            LOG.error("no pod of the mesh starts on this node any more; restart the agent: {}", e.toString());
        }
    }

    /// A connection's whole life.
    private interface Life {
        void run(SocketChannel channel) throws IOException, InterruptedException;
    }

    private void begin(SocketChannel channel, Semaphore place, Life life) {
        open.add(channel);
        Thread.startVirtualThread(() -> {
            try (channel) {
                life.run(channel);
            } catch (IOException e) {
                LOG.warn("a request of the CNI plugin came to nothing: {}", e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                open.remove(channel);
                place.release();
            }
        });
    }

    private void refuse(SocketChannel channel) throws IOException {
        answer(channel, 503, limits.requests() + " requests are being served; come again");
        drain(channel);
    }

    private void serve(SocketChannel channel) throws IOException, InterruptedException {
        try {
            checkPeer(channel);
            var request = readInTime(channel);
            if (!request.method().equals("POST")) {
                throw new EventException(405, "only POST");
            }
            handler.handle(request.path(), request.body());
            answer(channel, 200, "");
        } catch (EventException e) {
            answer(channel, e.status(), e.reason());
            drain(channel);
        } catch (RuntimeException e) {
            LOG.error("a bug", e);
            answer(channel, 500, "the agent has a bug: " + e);
        }
    }

    private void checkPeer(SocketChannel channel) throws IOException, EventException {
        var user = channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
        if (!allowed.contains(user)) {
            LOG.warn("user {} may not speak for the container runtime", user.getName());
            throw new EventException(403, "user " + user.getName() + " may not speak for the container runtime");
        }
    }

    private HttpRequest readInTime(SocketChannel channel) throws IOException, EventException {
        var alarm = alarms.schedule(() -> close(channel), limits.read().toMillis(), TimeUnit.MILLISECONDS);
        try {
            return HttpRequest.read(channel, limits);
        } finally {
            alarm.cancel(false);
        }
    }

    /// Takes what is still sent: a close before that would reset the connection, and the answer would be lost.
    private void drain(SocketChannel channel) throws IOException {
        channel.shutdownOutput();
        var alarm = alarms.schedule(() -> close(channel), limits.read().toMillis(), TimeUnit.MILLISECONDS);
        try {
            var buffer = ByteBuffer.allocate(1 << 12);
            while (channel.read(buffer) >= 0) {
                buffer.clear();
            }
        } catch (ClosedChannelException e) {
            LOG.debug("it did not end in time");
        } finally {
            alarm.cancel(false);
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("{}", e.toString());
        }
    }

    private void answer(SocketChannel channel, int status, String reason) throws IOException {
        answers.computeIfAbsent(status, _ -> new LongAdder()).increment();
        var body = reason.isEmpty() ? new byte[0] : (reason + "\n").getBytes(StandardCharsets.UTF_8);
        var head =
                "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                        .formatted(status, status == 200 ? "OK" : "Refused", body.length)
                        .getBytes(StandardCharsets.US_ASCII);
        var bytes = ByteBuffer.allocate(head.length + body.length)
                .put(head)
                .put(body)
                .flip();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /// How many requests were answered with each status.
    public Map<Integer, Long> answered() {
        var sums = new TreeMap<Integer, Long>();
        answers.forEach((status, count) -> sums.put(status, count.sum()));
        return sums;
    }

    /// Stops. The file is removed, unless the next agent has already put its own there.
    @Override
    public void close() throws IOException {
        if (Files.exists(socket) && fileKey.equals(fileKey(socket))) {
            Files.deleteIfExists(socket);
        }
        listener.close();
        open.forEach(EventServer::close);
        alarms.shutdownNow();
    }
}
