package dev.culvert.e2e;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/// A TCP connection that a pod opened, as its app holds it. One thread at a time.
final class Conversation implements AutoCloseable {
    private static final int MILLIS = 5000;

    private final Socket socket;
    private int trips;

    /// @param socket made inside the pod, not yet connected
    static Conversation connect(Socket socket, InetSocketAddress to) throws IOException {
        try {
            socket.setSoTimeout(MILLIS);
            socket.connect(to, MILLIS);
            socket.setTcpNoDelay(true);
            return new Conversation(socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private Conversation(Socket socket) {
        this.socket = socket;
    }

    int localPort() {
        return socket.getLocalPort();
    }

    InputStream in() throws IOException {
        return socket.getInputStream();
    }

    OutputStream out() throws IOException {
        return socket.getOutputStream();
    }

    /// Says something that was never said before and hears it back.
    /// @throws IOException the connection is refused, cut, or silent
    void roundTrip() throws IOException {
        roundTrip("trip-" + trips++ + "-" + localPort());
    }

    void roundTrip(String text) throws IOException {
        var said = text.getBytes(StandardCharsets.UTF_8);
        out().write(said);
        var heard = new byte[said.length];
        new DataInputStream(in()).readFully(heard);
        var echo = new String(heard, StandardCharsets.UTF_8);
        if (!echo.equals(text)) {
            throw new AssertionError("said " + text + ", heard " + echo);
        }
    }

    /// Whether the other side has ended it. A connection that is only silent is not cut.
    boolean isCut() {
        try {
            roundTrip();
            return false;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (EOFException e) {
            return true;
        } catch (IOException e) {
            return true; // reset
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
