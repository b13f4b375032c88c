package dev.culvert.waypoint.token;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.net.URI;
import java.text.ParseException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keys that are fetched: once, again when they are old or one is missing, and kept while they cannot be. Thread-safe.
public final class RemoteKeys {
    private static final Logger LOG = LoggerFactory.getLogger("token");
    private static final String DISCOVERY = "/.well-known/openid-configuration";
    private static final Duration FRESH = Duration.ofMinutes(5);
    /// Whoever makes up key ids causes no more fetches than one in this time.
    private static final Duration AGAIN = Duration.ofSeconds(1);

    private static final int MOST = 1000;

    private final Fetch fetch;
    private final LongSupplier nanos;
    private final Map<Source, Entry> entries = new ConcurrentHashMap<>();

    /// Gets a small document.
    public interface Fetch {
        /// Fails if it is not answered with 200 in time.
        CompletableFuture<String> get(URI uri, Duration bound);
    }

    /// @param uri of the keys; empty: the issuer's discovery document says it
    record Source(String issuer, String uri, Duration bound) {}

    private static final class Entry {
        private @Nullable Keys keys;
        private long fetchedNanos;
        private long triedNanos;
        private @Nullable CompletableFuture<Keys> running;
    }

    /// @param nanos the time
    public RemoteKeys(Fetch fetch, LongSupplier nanos) {
        this.fetch = fetch;
        this.nanos = nanos;
    }

    /// Those that we have; fetched if there are none. Fails if there are none and none can be had.
    CompletableFuture<Keys> keys(Source source) {
        return keys(source, false);
    }

    /// After one was missing: fetched again, but not all the time.
    CompletableFuture<Keys> again(Source source) {
        return keys(source, true);
    }

    private CompletableFuture<Keys> keys(Source source, boolean missing) {
        if (entries.size() >= MOST && !entries.containsKey(source)) {
            entries.clear();
        }
        var entry = entries.computeIfAbsent(source, _ -> new Entry());
        synchronized (entry) {
            var now = nanos.getAsLong();
            var old = entry.keys == null || now - entry.fetchedNanos > FRESH.toNanos();
            var mayTry = entry.triedNanos == 0 || now - entry.triedNanos > AGAIN.toNanos();
            if (entry.running == null && (old || missing) && mayTry) {
                entry.triedNanos = now;
                start(source, entry);
            }
            if (entry.keys != null && !(missing && entry.running != null)) {
                return CompletableFuture.completedFuture(entry.keys);
            }
            return entry.running != null
                    ? entry.running.copy()
                    : CompletableFuture.failedFuture(new IllegalStateException("no keys of " + source.issuer));
        }
    }

    private void start(Source source, Entry entry) {
        var running = new CompletableFuture<Keys>();
        entry.running = running;
        uri(source)
                .thenCompose(uri -> fetch.get(uri, source.bound))
                .thenApply(Keys::parse)
                .orTimeout(source.bound.toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((keys, failure) -> {
                    synchronized (entry) {
                        entry.running = null;
                        if (keys != null) {
                            entry.keys = keys;
                            entry.fetchedNanos = nanos.getAsLong();
                        }
                    }
                    if (keys != null) {
                        running.complete(keys);
                    } else {
                        LOG.warn(
                                "the keys of issuer {} cannot be fetched: {}",
                                source.issuer,
                                failure == null ? "" : failure.getMessage());
                        running.completeExceptionally(failure == null ? new IllegalStateException() : failure);
                    }
                });
    }

    private CompletableFuture<URI> uri(Source source) {
        try {
            if (!source.uri.isEmpty()) {
                return CompletableFuture.completedFuture(URI.create(source.uri));
            }
            var issuer = source.issuer.endsWith("/")
                    ? source.issuer.substring(0, source.issuer.length() - 1)
                    : source.issuer;
            return fetch.get(URI.create(issuer + DISCOVERY), source.bound).thenApply(RemoteKeys::jwksUri);
        } catch (IllegalArgumentException notAUri) {
            return CompletableFuture.failedFuture(notAUri);
        }
    }

    /// OpenID Connect Discovery 1.0 §3.
    private static URI jwksUri(String document) {
        try {
            var found = JSONObjectUtils.getString(JSONObjectUtils.parse(document), "jwks_uri");
            if (found == null) {
                throw new IllegalArgumentException("the discovery document names no jwks_uri");
            }
            return URI.create(found);
        } catch (ParseException bad) {
            throw new IllegalArgumentException("the discovery document is no JSON", bad);
        }
    }
}
