package dev.culvert.e2e;

import java.io.IOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// A server that listens in a pod; it runs in the test's process.
final class Server implements AutoCloseable {
    private final ServerSocketChannel listening;
    private final Service service;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong accepted = new AtomicLong();

    /// What is done with each accepted connection, on a virtual thread of its own.
    @FunctionalInterface
    interface Service {
        void serve(SocketChannel connection) throws IOException;
    }

    /// @param listening made and bound inside the pod
    Server(ServerSocketChannel listening, Service service) {
        this.listening = listening;
        this.service = service;
        Thread.ofVirtual().name("server").start(this::accept);
    }

    static void echo(SocketChannel connection) throws IOException {
        connection.socket().setTcpNoDelay(true);
        connection.socket().getInputStream().transferTo(connection.socket().getOutputStream());
    }

    long accepted() {
        return accepted.get();
    }

    private void accept() {
        try {
            while (true) {
                var connection = listening.accept();
                accepted.incrementAndGet();
                open.add(connection);
                Thread.ofVirtual().start(() -> serve(connection));
            }
        } catch (AsynchronousCloseException e) {
            // closed by the test
        } catch (ClosedChannelException e) {
            // closed before the first accept
        } catch (IOException e) {
            throw new IllegalStateException("no more connections are accepted", e);
        }
    }

    private void serve(SocketChannel connection) {
        try (connection) {
            service.serve(connection);
        } catch (IOException e) {
            // The client's side of the test sees it and judges.
        } finally {
            open.remove(connection);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (var connection : open) {
            connection.close();
        }
    }
}
