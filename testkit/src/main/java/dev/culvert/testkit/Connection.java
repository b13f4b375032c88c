package dev.culvert.testkit;

import dev.culvert.testkit.backend.AppSocket;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// An application's end of a TCP connection. All calls block and fail with an `UncheckedIOException`; one
/// thread reads and one writes. The mesh closes what the test does not.
public final class Connection implements AutoCloseable {
    private final AppSocket socket;

    Connection(AppSocket socket) {
        this.socket = socket;
    }

    /// How the other side has ended its direction.
    public enum End {
        FIN,
        RESET
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private static <T> T unchecked(Call<T> call) {
        try {
            return call.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e.toString(), e);
        }
    }

    public InetSocketAddress local() {
        return unchecked(socket::local);
    }

    /// The other side as this application sees it.
    public InetSocketAddress remote() {
        return unchecked(socket::remote);
    }

    /// Says something and hears back as many bytes.
    public String roundTrip(String text) {
        send(text);
        return read(text.getBytes(StandardCharsets.UTF_8).length);
    }

    public void send(String text) {
        send(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// Writes all of it.
    public void send(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            unchecked(() -> socket.write(bytes));
        }
    }

    /// Writes some of it, at least a byte.
    public int write(ByteBuffer bytes) {
        return unchecked(() -> socket.write(bytes));
    }

    /// Reads some; -1 after FIN.
    public int read(ByteBuffer into) {
        return unchecked(() -> socket.read(into));
    }

    /// That many bytes as text, or fewer if FIN comes before.
    public String read(int bytes) {
        var buffer = ByteBuffer.allocate(bytes);
        var open = true;
        while (buffer.hasRemaining() && open) {
            open = read(buffer) >= 0;
        }
        return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
    }

    /// All text up to FIN.
    public String readToEnd() {
        var all = new ByteArrayOutputStream();
        var block = ByteBuffer.allocate(1 << 16);
        while (read(block) >= 0) {
            all.write(block.array(), 0, block.position());
            block.clear();
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    /// Waits for the end of what the other side sends; what comes before is thrown away.
    public End awaitEnd() {
        var block = ByteBuffer.allocate(1 << 16);
        try {
            while (socket.read(block) >= 0) {
                block.clear();
            }
            return End.FIN;
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("reset")) {
                return End.RESET;
            }
            throw new UncheckedIOException(e.toString(), e);
        }
    }

    /// FIN; the other direction goes on.
    public void halfClose() {
        unchecked(() -> {
            socket.shutdownOutput();
            return true;
        });
    }

    public void reset() {
        unchecked(() -> {
            socket.reset();
            return true;
        });
    }

    @Override
    public void close() {
        unchecked(() -> {
            socket.close();
            return true;
        });
    }
}
