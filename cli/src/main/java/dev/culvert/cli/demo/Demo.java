package dev.culvert.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.cli.demo.Shop.Pod;
import dev.culvert.cli.local.SupervisorClient;
import dev.culvert.cli.view.DumpView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// The main job in seven steps. Each changes one thing as a user would (a line of YAML) and observes the
/// effect.
final class Demo {
    private static final Duration CAPTURED_WITHIN = Duration.ofSeconds(2);
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final String WEB = "spiffe://cluster.local/ns/shop/sa/web";
    private static final int LOAD_SECONDS = 6;

    private final Shop shop;
    private final Path folder;
    private final Story story;
    private final Pod web;
    private final Pod batch;
    private final Pod stranger;
    /// On the other node.
    private final Pod server;

    Demo(SupervisorClient client, Path folder, Story story) throws IOException {
        this.shop = new Shop(client);
        this.folder = folder;
        this.story = story;
        this.web = shop.pod("shop", "web");
        this.batch = shop.pod("shop", "batch");
        this.stranger = shop.pod("outside", "stranger");
        this.server = shop.serverOn("node-2");
    }

    void run() throws IOException, InterruptedException {
        var early = plainBeforeEnrolment();
        enrolment();
        openConnectionGoesOn(early);
        strict(early);
        policy();
        failover();
        inside();
    }

    private HeldConnection plainBeforeEnrolment() throws IOException, InterruptedException {
        story.step("1. Before enrolment: " + web.key() + " (node-1) asks " + server.key() + " (node-2)");
        var canary = Shop.canary();
        shop.startCapture("node-2");
        var answer = shop.fetch(web, server, "/" + canary);
        story.observe(answer.isOk(), answer.outcome(), "the request failed: " + answer.failure());
        var capture = shop.find("node-2", canary);
        story.observe(
                capture.found(),
                "capture on the wire: " + capture.frames() + " frames, the canary is readable in clear",
                "the capture has not seen the canary");
        var early = HeldConnection.open(shop.client(), web.key(), server.address() + ":9000");
        Story.await(
                SOON, () -> Optional.of(early.alive()).filter(lines -> lines > 0), "no connection to the echo port");
        story.say("   a connection is opened that will stay: " + early.alive() + " lines so far");
        return early;
    }

    private void enrolment() throws IOException, InterruptedException {
        story.step("2. Enrolment: istio.io/dataplane-mode: ambient on the namespace");
        var skip = shop.accessLog("node-2").size();
        write("namespace.yaml", "labels: {istio.io/dataplane-mode: ambient}", """
                apiVersion: v1
                kind: Namespace
                metadata:
                  name: shop
                  labels: {istio.io/dataplane-mode: ambient}
                """);
        var start = System.nanoTime();
        var words = List.of("src.identity=\"" + WEB + "\"", "direction=\"inbound\"", server.address() + ":8080");
        var line = Story.await(
                SOON,
                () -> encrypted().flatMap(_ -> logged("node-2", skip, words)),
                "the request never travelled by HBONE");
        var took = Duration.ofNanos(System.nanoTime() - start);
        story.say("   after " + took.toMillis() + " ms the same request travels by HBONE"
                + (took.compareTo(CAPTURED_WITHIN) <= 0
                        ? ""
                        : " (it should take at most " + CAPTURED_WITHIN.toMillis() + ")")
                + "; the canary is not on the wire");
        story.say("   node-2's ztunnel names the caller: " + line);
        var answer = shop.fetch(web, server, "/");
        story.observe(
                answer.line("peer: ").equals("peer: " + web.address()),
                "the app still sees the client's own address: " + answer.outcome(),
                "the app sees " + answer.line("peer: ") + ", and the client is " + web.address());
    }

    /// A request with a new canary; present if it was answered and the capture does not have it.
    private Optional<Boolean> encrypted() throws IOException {
        var canary = Shop.canary();
        shop.startCapture("node-2");
        var answer = shop.fetch(web, server, "/" + canary);
        var capture = shop.find("node-2", canary);
        return answer.isOk() && capture.complete() && !capture.found() ? Optional.of(true) : Optional.empty();
    }

    private Optional<String> logged(String node, int skip, List<String> words) {
        try {
            return shop.logged(node, skip, words);
        } catch (IOException e) {
            return Optional.empty(); // looked for again
        }
    }

    private void openConnectionGoesOn(HeldConnection early) throws IOException, InterruptedException {
        story.step("3. The connection of step 1 is left as it was");
        var before = early.alive();
        var after = Story.await(
                SOON, () -> Optional.of(early.alive()).filter(lines -> lines > before + 2), "it does not go on");
        story.say("   still alive: " + after + " lines");
        var hole = Story.await(SOON, () -> hole("node-1"), "culvert holes does not list it");
        story.say("   culvert holes: " + hole);
    }

    private Optional<String> hole(String node) throws IOException {
        for (var hole : shop.admin(node, "/culvert/holes")) {
            if (hole.path("remote").asText().equals(server.address() + ":9000")) {
                return Optional.of("%s %s %s -> %s since %s"
                        .formatted(
                                hole.path("pod").asText(),
                                hole.path("direction").asText(),
                                hole.path("local").asText(),
                                hole.path("remote").asText(),
                                hole.path("since").asText()));
            }
        }
        return Optional.empty();
    }

    private void strict(HeldConnection early) throws IOException, InterruptedException {
        story.step("4. PeerAuthentication STRICT: " + stranger.key() + " is outside the mesh");
        var answer = shop.fetch(stranger, server, "/");
        story.observe(
                answer.isOk(),
                "before: " + answer.outcome(),
                "the stranger was refused too early: " + answer.failure());
        var skip = shop.accessLog("node-2").size();
        write("strict.yaml", "mtls: {mode: STRICT}", """
                apiVersion: security.istio.io/v1
                kind: PeerAuthentication
                metadata: {name: default, namespace: shop}
                spec: {mtls: {mode: STRICT}}
                """);
        var refused = Story.await(
                SOON,
                () -> Optional.of(shop.fetch(stranger, server, "/")).filter(tried -> !tried.isOk()),
                "the stranger still gets answers");
        story.say("   after: " + refused.outcome());
        var words = List.of("src.addr=" + stranger.address(), "error=");
        var line = Story.await(SOON, () -> logged("node-2", skip, words), "node-2's log has no reason");
        story.say("   node-2's log: " + line);
        var cut = Story.await(SOON, early::end, "the plaintext connection of step 1 goes on under STRICT");
        story.say("   the plaintext connection of step 1: " + cut);
        answer = shop.fetch(web, server, "/");
        story.observe(answer.isOk(), "the mesh's own: " + answer.outcome(), "web is refused too: " + answer.failure());
    }

    private void policy() throws IOException, InterruptedException {
        story.step("5. AuthorizationPolicy only-web: ALLOW the service account web");
        var held = HeldConnection.open(shop.client(), web.key(), server.address() + ":9000");
        var doomed = HeldConnection.open(shop.client(), batch.key(), server.address() + ":9000");
        Story.await(
                SOON,
                () -> Optional.of(true).filter(_ -> held.alive() > 0 && doomed.alive() > 0),
                "no connections through the mesh to the echo port");
        write("only-web.yaml", "principals: [cluster.local/ns/shop/sa/web]", """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: only-web, namespace: shop}
                spec:
                  selector: {matchLabels: {app: server}}
                  action: ALLOW
                  rules:
                  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
                """);
        var refused = Story.await(
                SOON,
                () -> Optional.of(shop.fetch(batch, server, "/")).filter(tried -> !tried.isOk()),
                "batch still gets answers");
        story.say("   batch: " + refused.outcome());
        why();
        story.say("   batch's open connection: " + Story.await(SOON, doomed::end, "batch's open connection goes on"));
        var before = held.alive();
        var after = Story.await(
                SOON,
                () -> Optional.of(held.alive()).filter(lines -> lines > before + 2),
                "web's open connection was cut");
        story.say("   web's open connection stays: " + after + " lines");
        var answer = shop.fetch(web, server, "/");
        story.observe(answer.isOk(), "web: " + answer.outcome(), "web is refused too: " + answer.failure());
    }

    private void why() throws IOException {
        var path = "/culvert/explain?from=" + batch.key() + "&to=" + server.address() + ":8080";
        JsonNode explained = shop.admin(batch.node(), path);
        var text = explained.path("policy").path("text").asText();
        story.observe(
                !explained.path("policy").path("allowed").asBoolean() && text.contains("only-web"),
                "culvert why batch " + server.key().substring(5) + ":8080: " + text,
                "culvert why does not name the policy: " + explained);
    }

    private void failover() throws IOException, InterruptedException {
        story.step("6. One server pod is killed under load on the Service");
        var label = "connection_security_policy=\"mutual_tls\"";
        var before = encryptedBytes(label);
        var output = new StringBuilder();
        var load = CompletableFuture.runAsync(() -> load(output));
        TimeUnit.SECONDS.sleep(LOAD_SECONDS / 3);
        shop.client().ask(shop.client().request("kill").put("pod", server.key()));
        story.say("   killed " + server.key() + " while 8 connections ask http://server/");
        load.join();
        var totals = totals(output.toString());
        story.observe(
                totals.requests > 0
                        && totals.failures * 20 <= totals.requests
                        && totals.lateFailures * 1000 <= totals.requests,
                "%d requests, %d failures, p50 %.1f ms, p99 %.1f ms, %d bytes encrypted"
                        .formatted(
                                totals.requests,
                                totals.failures,
                                totals.p50Micros / 1000.0,
                                totals.p99Micros / 1000.0,
                                Math.round(encryptedBytes(label) - before)),
                "calls do not fail over: " + output);
    }

    private double encryptedBytes(String label) throws IOException {
        return shop.metric(web.node(), "istio_tcp_sent_bytes_total", label)
                + shop.metric(web.node(), "istio_tcp_received_bytes_total", label);
    }

    private void load(StringBuilder output) {
        try {
            var command = List.of(
                    "culvert", "app", "load", "http://server/", "--connections", "8", "--seconds", "" + LOAD_SECONDS);
            shop.client().exec(web.key(), command, output::append);
        } catch (IOException e) {
            output.append(e.getMessage());
        }
    }

    private record Totals(long requests, long failures, long lateFailures, long p50Micros, long p99Micros) {}

    private static Totals totals(String output) {
        var numbers = Pattern.compile(
                        "requests=(\\d+) failures=(\\d+) late_failures=(\\d+) p50_us=(\\d+) p99_us=(\\d+)")
                .matcher(output);
        if (!numbers.find()) {
            throw new ObservationException("the load has not finished: " + output);
        }
        return new Totals(
                Long.parseLong(numbers.group(1)),
                Long.parseLong(numbers.group(2)),
                Long.parseLong(numbers.group(3)),
                Long.parseLong(numbers.group(4)),
                Long.parseLong(numbers.group(5)));
    }

    private void inside() throws IOException {
        story.step("7. What each node knows: culvert ztunnel-config workload|service|policy|certificate|connection");
        for (var node : List.of("node-1", "node-2")) {
            story.say("-- " + node);
            for (var table : new DumpView(shop.admin(node, "/config_dump"), Instant.now()).tables()) {
                story.observe(!table.titles().isEmpty(), table.text().replace("\n", "\n   "), "an empty table");
            }
        }
    }

    private void write(String file, String shown, String yaml) throws IOException {
        var temporary = folder.resolve("." + file + ".new");
        Files.writeString(temporary, yaml);
        Files.move(temporary, folder.resolve(file), StandardCopyOption.ATOMIC_MOVE);
        story.say("   " + folder.getFileName() + "/" + file + ": " + shown);
    }
}
