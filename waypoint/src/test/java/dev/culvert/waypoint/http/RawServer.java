package dev.culvert.waypoint.http;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;

/// A server on a port of its own that does with each connection what the test says. Has a virtual thread for each.
final class RawServer implements AutoCloseable {
    private final ServerSocket listening = new ServerSocket(0);
    private final Conversation conversation;

    /// What is done with a connection; an IOException is judged by the client's side of the test.
    @FunctionalInterface
    interface Conversation {
        void with(Socket socket) throws IOException;
    }

    RawServer(Conversation conversation) throws IOException {
        this.conversation = conversation;
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                var socket = listening.accept();
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException closed) {
            // by the test
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            conversation.with(socket);
        } catch (IOException ended) {
            // the client's side judges
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
