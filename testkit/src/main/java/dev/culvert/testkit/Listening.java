package dev.culvert.testkit;

import dev.culvert.testkit.backend.AppListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.Consumer;

/// A port on which an application of a pod accepts connections itself.
public final class Listening implements AutoCloseable {
    private final AppListener listener;
    private final Consumer<Connection> onAccept;

    Listening(AppListener listener, Consumer<Connection> onAccept) {
        this.listener = listener;
        this.onAccept = onAccept;
    }

    /// Waits for the next connection.
    public Connection accept() {
        try {
            var connection = new Connection(listener.accept());
            onAccept.accept(connection);
            return connection;
        } catch (IOException e) {
            throw new UncheckedIOException(e.toString(), e);
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
