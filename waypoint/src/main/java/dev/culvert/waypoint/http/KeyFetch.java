package dev.culvert.waypoint.http;

import dev.culvert.mesh.model.workload.Service;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Traffic;
import dev.culvert.waypoint.token.RemoteKeys;
import dev.culvert.waypoint.upstream.Upstream;
import dev.culvert.waypoint.upstream.UpstreamEvents;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Fetches the keys of issuers: from Services of the mesh with our own identity, from elsewhere as anybody would. No
/// redirects are followed. Thread-safe.
public final class KeyFetch implements RemoteKeys.Fetch {
    private static final int MAX_BYTES = 256 * 1024;
    private static final int OK = 200;

    private final Supplier<Serving> serving;
    private final Supplier<Worker> worker;
    private final HttpClient outside = HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(5))
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();

    /// @param worker whose loop carries what goes into the mesh
    public KeyFetch(Supplier<Serving> serving, Supplier<Worker> worker) {
        this.serving = serving;
        this.worker = worker;
    }

    @Override
    public CompletableFuture<String> get(URI uri, Duration bound) {
        var service = "http".equals(uri.getScheme()) ? service(uri) : Optional.<Service>empty();
        return service.isPresent() ? inside(uri, service.get(), bound) : outside(uri, bound);
    }

    private Optional<Service> service(URI uri) {
        var here = serving.get();
        return here.mesh()
                .current()
                .serviceByHostname(String.valueOf(uri.getHost()), here.self().namespace());
    }

    private CompletableFuture<String> outside(URI uri, Duration bound) {
        var request = HttpRequest.newBuilder(uri).timeout(bound).GET().build();
        return outside.sendAsync(request, BodyHandlers.ofInputStream()).thenApply(answer -> {
            try (var body = answer.body()) {
                var bytes = body.readNBytes(MAX_BYTES + 1);
                if (answer.statusCode() != OK || bytes.length > MAX_BYTES) {
                    throw new IllegalStateException(uri + " answers " + answer.statusCode()
                            + (bytes.length > MAX_BYTES ? ", more than " + MAX_BYTES + " bytes" : ""));
                }
                return new String(bytes, StandardCharsets.UTF_8);
            } catch (IOException broken) {
                throw new IllegalStateException(uri + ": " + broken.getMessage(), broken);
            }
        });
    }

    private CompletableFuture<String> inside(URI uri, Service service, Duration bound) {
        var port = uri.getPort() < 0 ? 80 : uri.getPort();
        var key = new ClusterSpec.Key(service.namespace(), service.hostname(), port, "");
        var spec = new ClusterSpec(key, null, Traffic.DEFAULT, 0);
        var result = new CompletableFuture<String>().orTimeout(bound.toMillis(), TimeUnit.MILLISECONDS);
        var at = worker.get();
        at.loop().execute(() -> {
            var chosen = serving.get().choose(spec, null, Set.of());
            if (chosen.isEmpty()) {
                result.completeExceptionally(new IllegalStateException(uri + ": no healthy upstream"));
            } else {
                var get = new Get(at, uri, result);
                get.go(chosen.get(), spec);
                result.whenComplete((_, _) -> at.loop().execute(get::abort));
            }
        });
        return result;
    }

    /// One GET inside of the mesh.
    private final class Get implements UpstreamEvents {
        private final Worker at;
        private final URI uri;
        private final CompletableFuture<String> result;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private @Nullable Upstream upstream;

        Get(Worker at, URI uri, CompletableFuture<String> result) {
            this.at = at;
            this.uri = uri;
            this.result = result;
        }

        void go(Cluster.Chosen chosen, ClusterSpec spec) {
            var here = serving.get();
            var use = new UpstreamPool.Use(
                    chosen.endpoint(), false, here.clusters().of(spec), spec);
            var whom = new UpstreamPool.For(
                    new InetSocketAddress(here.address(), 0),
                    here.baggage(),
                    spec.key().hostname());
            at.upstreams().acquire(use, whom, this).whenComplete((opened, failure) -> {
                if (opened == null) {
                    result.completeExceptionally(failure == null ? new IllegalStateException() : failure);
                    return;
                }
                upstream = opened;
                if (result.isDone()) {
                    abort();
                    return;
                }
                var path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
                var request = new DefaultFullHttpRequest(
                        HttpVersion.HTTP_1_1,
                        HttpMethod.GET,
                        uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery());
                request.headers().set("host", uri.getAuthority()).set("connection", "close");
                opened.channel().writeAndFlush(request);
                opened.channel().read();
            });
        }

        @Override
        public void head(HttpResponse response) {
            if (response.status().code() != OK) {
                fail("answers " + response.status().code());
            }
            if (response instanceof HttpContent content) {
                content(content);
            } else {
                ReferenceCountUtil.release(response);
                read();
            }
        }

        private void read() {
            if (upstream != null) {
                upstream.channel().read();
            }
        }

        @Override
        public void content(HttpContent content) {
            var bytes = new byte[content.content().readableBytes()];
            content.content().readBytes(bytes);
            body.writeBytes(bytes);
            var last = content instanceof LastHttpContent;
            content.release();
            if (body.size() > MAX_BYTES) {
                fail("answers more than " + MAX_BYTES + " bytes");
            } else if (last) {
                result.complete(body.toString(StandardCharsets.UTF_8));
            } else {
                read();
            }
        }

        private void fail(String why) {
            result.completeExceptionally(new IllegalStateException(uri + " " + why));
        }

        private void abort() {
            if (upstream != null) {
                upstream.abort();
            }
        }

        @Override
        public void writable() {}

        @Override
        public void broke(String why) {
            result.completeExceptionally(new IllegalStateException(uri + ": " + why));
        }
    }
}
