package dev.culvert.agent.event;

import dev.culvert.agent.pods.PodReconciler;
import dev.culvert.agent.pods.Sandbox;
import dev.culvert.agent.pods.Sandbox.Attachment;
import dev.culvert.json.Json;
import dev.culvert.json.JsonException;
import dev.culvert.linux.netns.NetworkNamespace;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The plugin's requests: `/cmdadd` as Istio's plugin sends it, and `/cmdcheck`, `/cmddel`, `/cmdgc`,
/// `/cmdstatus` of our own. Thread-safe.
public final class PluginEvents implements EventServer.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(PluginEvents.class);

    private final PodReconciler pods;
    private final Path hostRoot;
    private final EventLimits limits;
    private final Set<NetworkNamespace.Id> hosts;

    /// @param hostRoot where the node's file system is seen; the runtime's paths begin there
    public PluginEvents(PodReconciler pods, Path hostRoot, EventLimits limits) throws IOException {
        this.pods = pods;
        this.hostRoot = hostRoot;
        this.limits = limits;
        this.hosts = hosts(hostRoot);
    }

    /// The network namespaces that must never be touched: our own, and the node's.
    private static Set<NetworkNamespace.Id> hosts(Path hostRoot) throws IOException {
        var ids = new HashSet<NetworkNamespace.Id>();
        for (var path : List.of(Path.of("/proc/self/ns/net"), hostRoot.resolve("proc/1/ns/net"))) {
            if (Files.exists(path)) {
                try (var netns = NetworkNamespace.open(path)) {
                    ids.add(netns.id());
                }
            }
        }
        return Set.copyOf(ids);
    }

    @Override
    public void handle(String path, Json.Obj message) throws EventException, InterruptedException {
        try {
            switch (path) {
                case "/cmdadd" -> add(message);
                case "/cmdcheck" -> await(sandbox(message), pods::checked);
                case "/cmddel" -> await(sandbox(message), pods::deleted);
                case "/cmdgc" -> collect(message);
                case "/cmdstatus" -> LOG.debug("the plugin asks whether we are here");
                default -> throw new EventException(404, "no such command: " + path);
            }
        } catch (JsonException e) {
            throw new EventException(400, "not a request of a CNI plugin: " + e.getMessage());
        }
    }

    private void add(Json.Obj message) throws EventException, InterruptedException, JsonException {
        var sandbox = sandbox(message);
        checkNetns(sandbox.netns());
        if (pods.await(sandbox.pod(), limits.known()).isEmpty()) {
            throw refused(sandbox.pod(), "no such pod on this node is known yet");
        }
        await(sandbox.pod(), pods.added(sandbox), limits.start());
    }

    private void checkNetns(Path path) throws EventException {
        try (var netns = NetworkNamespace.open(path)) {
            if (hosts.contains(netns.id())) {
                throw new EventException(400, path + " is the node's own network namespace");
            }
        } catch (IOException e) {
            throw new EventException(400, path + " cannot be opened as a network namespace: " + e.getMessage());
        }
    }

    private void await(Sandbox sandbox, Function<Sandbox, CompletableFuture<Void>> what)
            throws EventException, InterruptedException {
        await(sandbox.pod(), what.apply(sandbox), limits.answer());
    }

    /// What nobody waits for any more is not begun.
    private static void await(Object about, CompletableFuture<Void> done, Duration most)
            throws EventException, InterruptedException {
        try {
            done.get(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            var cause = e.getCause() == null ? e : e.getCause();
            throw refused(about, cause.getMessage() == null ? cause.toString() : cause.getMessage());
        } catch (TimeoutException e) {
            done.cancel(false);
            throw refused(about, "not done within " + most.toSeconds() + " s; is ztunnel alive?");
        }
    }

    private static EventException refused(Object about, String why) {
        LOG.warn("{}: the CNI plugin is refused: {}", about, why);
        return new EventException(500, why);
    }

    private void collect(Json.Obj message) throws EventException, InterruptedException, JsonException {
        var network = required(message, "Network");
        var valid = new HashSet<Attachment>();
        for (var item : message.objects("Valid")) {
            valid.add(new Attachment(network, required(item, "ContainerID"), required(item, "IfName")));
        }
        await("garbage collection of " + network, pods.collected(network, valid), limits.answer());
    }

    /// Istio's plugin sends no attachment and no uid.
    private Sandbox sandbox(Json.Obj message) throws JsonException {
        var pod = new Sandbox.Pod(
                required(message, "PodNamespace"),
                required(message, "PodName"),
                message.text("PodUID").orElse(""));
        var attachment = new Attachment(
                message.text("Network").orElse(""),
                message.text("ContainerID").orElse(""),
                message.text("IfName").orElse(""));
        return new Sandbox(pod, attachment, netns(message.text("Netns").orElse("")), ips(message));
    }

    /// The runtime's path below the node's root, and never above it.
    private Path netns(String text) throws JsonException {
        if (text.isEmpty()) {
            return hostRoot;
        }
        if (!text.startsWith("/") || text.indexOf('\0') >= 0 || (text + "/").contains("/../")) {
            throw new JsonException("\"Netns\" must be an absolute path without ..");
        }
        return hostRoot.resolve(text.substring(1));
    }

    private static List<InetAddress> ips(Json.Obj message) throws JsonException {
        var ips = new ArrayList<InetAddress>();
        for (var item : message.objects("IPs")) {
            var address = item.object("Address").orElseThrow(() -> new JsonException("\"Address\" is missing"));
            try {
                ips.add(InetAddress.ofLiteral(required(address, "IP")));
            } catch (IllegalArgumentException e) {
                throw new JsonException("\"IP\" must be an address");
            }
        }
        return ips;
    }

    private static String required(Json.Obj message, String name) throws JsonException {
        return message.text(name)
                .filter(text -> !text.isEmpty())
                .orElseThrow(() -> new JsonException("\"" + name + "\" is missing"));
    }
}
