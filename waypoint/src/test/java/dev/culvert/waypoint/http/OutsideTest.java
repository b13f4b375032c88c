package dev.culvert.waypoint.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.TextFormat;
import com.sun.net.httpserver.HttpServer;
import dev.culvert.protos.waypoint.Policy;
import dev.culvert.protos.waypoint.Protocol;
import dev.culvert.waypoint.balance.Cluster;
import dev.culvert.waypoint.balance.ClusterSpec;
import dev.culvert.waypoint.balance.Endpoint;
import dev.culvert.waypoint.http.Harbour.Request;
import dev.culvert.waypoint.upstream.HostLookup;
import dev.culvert.waypoint.upstream.Outside;
import dev.culvert.waypoint.upstream.UpstreamPool;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Endpoints outside of the mesh: known by name only, or not at all.
class OutsideTest {
    private Harbour harbour;
    private HttpServer http;

    @BeforeEach
    void start() throws Exception {
        harbour = new Harbour();
        http = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 0);
        http.createContext("/", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        http.start();
    }

    @AfterEach
    void stop() {
        http.stop(0);
        harbour.close();
    }

    @Test
    void anEndpointThatHasANameIsLookedUp() throws Exception {
        harbour.endpointByName("localhost", http.getAddress().getPort());
        harbour.configure(Harbour.config(Protocol.HTTP1, ""));
        assertThat(harbour.call(false, Request.get("/")).status).isEqualTo(204);
    }

    @Test
    void aNameThatNobodyHasIsAConnectionThatFails() throws Exception {
        harbour.endpointByName("nobody.invalid", http.getAddress().getPort());
        harbour.configure(Harbour.config(Protocol.HTTP1, ""));
        assertThat(harbour.call(false, Request.get("/")).status).isEqualTo(503);
    }

    @Test
    void aPolicyStandsBeforeIt() throws Exception {
        harbour.endpointByName("localhost", http.getAddress().getPort());
        harbour.configure(Harbour.config(Protocol.HTTP1, "")
                .addPolicies(TextFormat.parse(
                        "name: 'p' rules {to {attributes {kind: METHOD values {exact: 'HEAD'}}}}", Policy.class)));
        assertThat(harbour.call(false, Request.get("/")).status).isEqualTo(403);
    }

    /// A service without endpoints: the server is wherever the client has dialled.
    @ParameterizedTest
    @CsvSource({"TCP", "DETECT"})
    void whatPassesConnectionsOnIsReachedWhereItWasDialled(Protocol protocol) throws Exception {
        try (var server = new RawServer(socket -> {
            socket.getOutputStream().write(socket.getLocalAddress().getAddress());
            socket.getInputStream().transferTo(socket.getOutputStream());
        })) {
            harbour.passesOn(InetAddress.ofLiteral("127.0.0.8"), 29);
            harbour.configure(Harbour.config(protocol, "").setPorts(0, port(protocol, server.port())));
            try (var raw = raw(server.port()).listen()) {
                raw.say("ahoy").finish();
                assertThat(raw.awaitEnd()).isEqualTo("\177\0\0\tahoy");
            }
        }
    }

    /// A pod in the range takes from its waypoint what it takes from nobody else.
    @Test
    void aWorkloadInTheRangeIsNotPassedOnTo() throws Exception {
        var contacted = new AtomicInteger();
        try (var server = new RawServer(_ -> contacted.incrementAndGet())) {
            harbour.passesOn(InetAddress.ofLiteral("127.0.0.8"), 29);
            harbour.podAtTheAddress();
            harbour.configure(Harbour.config(Protocol.TCP, "").setPorts(0, port(Protocol.TCP, server.port())));
            assertThatThrownBy(() -> raw(server.port())).hasMessageContaining("503");
            assertThat(contacted).hasValue(0);
        }
    }

    private static dev.culvert.protos.waypoint.Port port(Protocol protocol, int number) throws Exception {
        return Harbour.config(protocol, "").getPorts(0).toBuilder()
                .setNumber(number)
                .clearRoutes()
                .build();
    }

    private Bytes raw(int port) throws Exception {
        var known = harbour.waypoint();
        var endpoint = new Endpoint(known.workload(), new InetSocketAddress(Harbour.VIP, port), known.accepted());
        var use = new UpstreamPool.Use(endpoint, false, new Cluster(), ClusterSpec.ofPod(endpoint));
        return new Bytes(
                CompletableFuture.supplyAsync(() -> harbour.client.raw(use, harbour.portal()), harbour.clientLoop)
                        .get()
                        .get(60, TimeUnit.SECONDS));
    }

    /// Its admin pages listen there.
    @ParameterizedTest
    @CsvSource({"127.0.0.1,false", "::1,false", "0.0.0.0,false", "224.0.0.1,false", "198.18.0.1,true", "2001:2::1,true"
    })
    void nobodyIsSentToTheWaypointsOwnMachine(String address, boolean admitted) {
        var outside = Outside.of(1000, HostLookup.ofSystem());
        assertThat(outside.admitted().test(InetAddress.ofLiteral(address))).isEqualTo(admitted);
    }
}
