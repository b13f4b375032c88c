package dev.culvert.testkit;

import java.nio.ByteBuffer;

/// What a server does with one connection, on a thread of its own; afterwards the connection is closed. That
/// the other side has gone is no mistake of the handler's.
@FunctionalInterface
public interface Handler {
    void serve(Connection connection);

    /// Says back what it hears, until FIN.
    static Handler echo() {
        return connection -> {
            var block = ByteBuffer.allocate(1 << 16);
            while (connection.read(block) >= 0) {
                connection.send(block.flip());
                block.clear();
            }
        };
    }

    /// Speaks first, then echoes.
    static Handler greeting(String text) {
        return connection -> {
            connection.send(text);
            echo().serve(connection);
        };
    }
}
