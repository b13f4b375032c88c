package dev.culvert.ztunnel.outbound;

import dev.culvert.hbone.failure.ProxyException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// What an application is told of its connection before the first byte; a captured one is told nothing.
public interface Greeting {
    Greeting NONE = new Greeting() {
        @Override
        public CompletableFuture<@Nullable Void> opened() {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void failed(ProxyException why) {}
    };

    /// The upstream is there. Completes on the loop, before bytes may flow.
    CompletableFuture<@Nullable Void> opened();

    /// It never was; the connection is closed afterwards.
    void failed(ProxyException why);
}
