package dev.culvert.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/// A server with an echo for the neighbours, and a port whose connections the test holds.
record StoppedRig(TestWorkload web, TestWorkload server, Listening listening) {
    private static final int ECHO = 8080;
    private static final int HELD = 8081;
    private static final int NEIGHBOURS = 8;
    private static final int TRIPS = 100;

    static StoppedRig of(Mesh mesh) {
        var server = mesh.workload("server").on("node-b").captured().echo(ECHO);
        var listening = server.listen(HELD);
        return new StoppedRig(mesh.workload("web").on("node-a").captured(), server, listening);
    }

    /// @param client opened it
    /// @param application accepted it
    record Held(Connection client, Connection application) {}

    Held open() {
        return new Held(web.connect(server, HELD), listening.accept());
    }

    /// New connections between the same pods talk all at once.
    void neighboursGoOn(Executor threads) throws Exception {
        var all = new ArrayList<CompletableFuture<Void>>();
        for (var i = 0; i < NEIGHBOURS; i++) {
            var connection = web.connect(server, ECHO);
            all.add(CompletableFuture.runAsync(() -> talk(connection), threads));
        }
        for (var one : all) {
            one.get(30, TimeUnit.SECONDS);
        }
    }

    private static void talk(Connection connection) {
        try (connection) {
            for (var trip = 0; trip < TRIPS; trip++) {
                assertThat(connection.roundTrip("trip " + trip)).isEqualTo("trip " + trip);
            }
        }
    }
}
