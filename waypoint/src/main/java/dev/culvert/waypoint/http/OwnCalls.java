package dev.culvert.waypoint.http;

import com.google.protobuf.ByteString;
import dev.culvert.mesh.model.workload.Service;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Traffic;
import dev.culvert.waypoint.token.RemoteKeys;
import dev.culvert.waypoint.trace.SpanExporter;
import dev.culvert.waypoint.upstream.Upstream;
import dev.culvert.waypoint.upstream.UpstreamEvents;
import dev.culvert.waypoint.upstream.UpstreamPool;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
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

/// Calls that the waypoint makes for itself: Services of the mesh with our own identity, others as anybody would. No
/// redirects are followed. Thread-safe.
public final class OwnCalls implements RemoteKeys.Fetch, SpanExporter.Send {
    /// Of an answer.
    private static final int MAX_BYTES = 256 * 1024;

    private final Supplier<Serving> serving;
    private final Supplier<Worker> worker;
    private final HttpClient outside = HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(5))
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();

    /// @param worker whose loop carries what goes into the mesh
    public OwnCalls(Supplier<Serving> serving, Supplier<Worker> worker) {
        this.serving = serving;
        this.worker = worker;
    }

    /// @param contentType empty for a GET
    private record Call(URI uri, String contentType, ByteString body) {
        boolean isGet() {
            return contentType.isEmpty();
        }

        boolean isGood(int status) {
            return isGet() ? status == 200 : status >= 200 && status < 300;
        }
    }

    @Override
    public CompletableFuture<String> get(URI uri, Duration bound) {
        return make(new Call(uri, "", ByteString.EMPTY), bound);
    }

    @Override
    public CompletableFuture<String> post(URI to, String contentType, ByteString body, Duration bound) {
        return make(new Call(to, contentType, body), bound);
    }

    private CompletableFuture<String> make(Call call, Duration bound) {
        var service = "http".equals(call.uri.getScheme()) ? service(call.uri) : Optional.<Service>empty();
        return service.isPresent() ? inside(call, service.get(), bound) : outside(call, bound);
    }

    private Optional<Service> service(URI uri) {
        var here = serving.get();
        return here.mesh()
                .current()
                .serviceByHostname(String.valueOf(uri.getHost()), here.self().namespace());
    }

    private CompletableFuture<String> outside(Call call, Duration bound) {
        var uri = call.uri;
        var request = HttpRequest.newBuilder(uri).timeout(bound);
        if (!call.isGet()) {
            request.header("content-type", call.contentType)
                    .POST(HttpRequest.BodyPublishers.ofByteArray(call.body.toByteArray()));
        }
        return outside.sendAsync(request.build(), BodyHandlers.ofInputStream()).thenApply(answer -> {
            try (var body = answer.body()) {
                var bytes = body.readNBytes(MAX_BYTES + 1);
                if (!call.isGood(answer.statusCode()) || bytes.length > MAX_BYTES) {
                    throw new IllegalStateException(uri + " answers " + answer.statusCode()
                            + (bytes.length > MAX_BYTES ? ", more than " + MAX_BYTES + " bytes" : ""));
                }
                return new String(bytes, StandardCharsets.UTF_8);
            } catch (IOException broken) {
                throw new IllegalStateException(uri + ": " + broken.getMessage(), broken);
            }
        });
    }

    private CompletableFuture<String> inside(Call call, Service service, Duration bound) {
        var uri = call.uri;
        var port = uri.getPort() < 0 ? 80 : uri.getPort();
        var key = new ClusterSpec.Key(service.namespace(), service.hostname(), port, "");
        var spec = new ClusterSpec(key, null, Traffic.DEFAULT, false, 0);
        var result = new CompletableFuture<String>().orTimeout(bound.toMillis(), TimeUnit.MILLISECONDS);
        var at = worker.get();
        at.loop().execute(() -> {
            var chosen = serving.get().choose(spec, null, Set.of());
            if (chosen.isEmpty()) {
                result.completeExceptionally(new IllegalStateException(uri + ": no healthy upstream"));
            } else {
                var inside = new Inside(at, call, result);
                inside.go(chosen.get(), spec);
                result.whenComplete((_, _) -> at.loop().execute(inside::abort));
            }
        });
        return result;
    }

    /// One call inside of the mesh.
    private final class Inside implements UpstreamEvents {
        private final Worker at;
        private final Call call;
        private final CompletableFuture<String> result;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private @Nullable Upstream upstream;

        Inside(Worker at, Call call, CompletableFuture<String> result) {
            this.at = at;
            this.call = call;
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
                opened.channel().writeAndFlush(request());
                opened.channel().read();
            });
        }

        private FullHttpRequest request() {
            var uri = call.uri;
            var path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
            var request = new DefaultFullHttpRequest(
                    HttpVersion.HTTP_1_1,
                    call.isGet() ? HttpMethod.GET : HttpMethod.POST,
                    uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery(),
                    Unpooled.wrappedBuffer(call.body.asReadOnlyByteBuffer()));
            request.headers().set("host", uri.getAuthority()).set("connection", "close");
            if (!call.isGet()) {
                request.headers().set("content-type", call.contentType).set("content-length", call.body.size());
            }
            return request;
        }

        @Override
        public void head(HttpResponse response) {
            if (!call.isGood(response.status().code())) {
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
            result.completeExceptionally(new IllegalStateException(call.uri + " " + why));
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
            result.completeExceptionally(new IllegalStateException(call.uri + ": " + why));
        }
    }
}
