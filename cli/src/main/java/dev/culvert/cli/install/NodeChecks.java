package dev.culvert.cli.install;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.cli.install.Finding.Level;
import dev.culvert.linux.Errno;
import dev.culvert.linux.LinuxException;
import dev.culvert.linux.netns.Ruleset;
import dev.culvert.linux.process.KubeletProcess;
import dev.culvert.linux.process.OwnControlGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/// What `culvert check node` looks at on a node itself. Confined to one thread.
final class NodeChecks {
    private static final String KERNEL = "kernel";
    private static final String PROVIDER = "network provider";
    private static final String NETWORK = "network";
    private static final String KUBELET = "kubelet";
    private static final ObjectMapper JSON = new ObjectMapper();
    /// From which on nftables know a socket's control group (5.13) and listeners hand over who waits (5.14).
    private static final int[] WANTED = {5, 14};

    private static final Pattern RELEASE = Pattern.compile("(\\d+)\\.(\\d+).*", Pattern.DOTALL);
    /// RFC 8200 §5.
    private static final int LEAST_MTU = 1280;

    private final Path root;
    private final Path confDir;
    private final Rules rules;
    private final List<Finding> findings = new ArrayList<>();

    /// Asks the kernel for the number of its rules.
    interface Rules {
        int generation() throws IOException;
    }

    /// @param root where the node's files are seen
    /// @param confDir the runtime's network configurations, on the node
    NodeChecks(Path root, Path confDir, Rules rules) {
        this.root = root;
        this.confDir = root.resolve(Path.of("/").relativize(confDir));
        this.rules = rules;
    }

    NodeChecks(Path root, Path confDir) {
        this(root, confDir, Ruleset::generation);
    }

    List<Finding> all() throws IOException {
        if (!Files.isDirectory(root.resolve("proc/sys"))) {
            found(
                    KERNEL,
                    Level.ERROR,
                    "there is no proc in " + root,
                    "Run it on a node of Linux, or name its root by --root.");
            return List.copyOf(findings);
        }
        kernel();
        rules();
        provider();
        mtu();
        kubelet();
        return List.copyOf(findings);
    }

    private void fine(String section, String what) {
        findings.add(new Finding(section, Level.FINE, what, ""));
    }

    private void found(String section, Level level, String what, String advice) {
        findings.add(new Finding(section, level, what, advice));
    }

    private String read(String path) throws IOException {
        try {
            return Files.readString(root.resolve(path)).strip();
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    private void kernel() throws IOException {
        var release = read("proc/sys/kernel/osrelease");
        var numbers = RELEASE.matcher(release);
        if (!numbers.matches()) {
            found(KERNEL, Level.ERROR, "the kernel's release cannot be read: '" + release + "'", "Is it Linux?");
            return;
        }
        var major = Integer.parseInt(numbers.group(1));
        if (major > WANTED[0] || (major == WANTED[0] && Integer.parseInt(numbers.group(2)) >= WANTED[1])) {
            fine(KERNEL, "Linux " + release);
        } else {
            found(
                    KERNEL,
                    Level.WARNING,
                    "Linux " + release + " is older than 5.14",
                    "The kubelet is known by its user only, and connections that wait in a ztunnel's queue are lost when it is"
                            + " replaced.");
        }
    }

    private void rules() throws IOException {
        var legacy = !read("proc/net/ip_tables_names").isEmpty()
                || !read("proc/net/ip6_tables_names").isEmpty();
        try {
            rules.generation();
            fine(KERNEL, "rules are written by nftables" + (legacy ? ", beside rules of legacy iptables" : ""));
        } catch (LinuxException e) {
            if (e.errno() == Errno.EPERM) {
                found(KERNEL, Level.WARNING, "the kernel does not say whether it has nftables", "Run it as root.");
            } else if (legacy) {
                found(
                        KERNEL,
                        Level.WARNING,
                        "there is no nftables; rules are written by legacy iptables",
                        "They change one after the other, and the agent reads them twice a second: load nf_tables if"
                                + " there is one.");
            } else {
                found(
                        KERNEL,
                        Level.ERROR,
                        "there is no nftables, and legacy iptables are not in use",
                        "Load the kernel's module nf_tables, or ip_tables and iptable_nat.");
            }
        }
    }

    /// The file that the container runtime reads, and what is in it.
    private void provider() throws IOException {
        List<Path> files;
        try (var all = Files.list(confDir)) {
            files = all.sorted().toList();
        } catch (IOException e) {
            found(PROVIDER, Level.ERROR, confDir + " cannot be read: " + e, "Name the folder by --cni-conf-dir.");
            return;
        }
        for (var file : files) {
            if (name(file).endsWith(".cilium_bak")) {
                found(
                        PROVIDER,
                        Level.ERROR,
                        "Cilium has set " + file + " aside",
                        "It would do so with the mesh's: install Cilium with cni.exclusive=false.");
            }
        }
        var first = files.stream()
                .filter(file -> name(file).matches("[^.].*\\.conf(list)?"))
                .findFirst();
        if (first.isEmpty()) {
            found(
                    PROVIDER,
                    Level.ERROR,
                    "no network configuration is in " + confDir,
                    "Install a network provider first, or name its folder by --cni-conf-dir.");
            return;
        }
        try {
            plugins(first.get(), JSON.readTree(Files.readString(first.get())));
        } catch (JsonProcessingException e) {
            found(
                    PROVIDER,
                    Level.ERROR,
                    first.get() + " is not JSON: " + e.getOriginalMessage(),
                    "The container runtime cannot read it either; write it anew.");
        }
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private void plugins(Path file, JsonNode config) {
        var types = config.has("plugins")
                ? StreamSupport.stream(config.get("plugins").spliterator(), false)
                        .map(plugin -> plugin.path("type").asText())
                        .toList()
                : List.of(config.path("type").asText());
        fine(PROVIDER, file + ": " + String.join(", ", types));
        for (var type : types) {
            switch (type) {
                case "istio-cni", "linkerd-cni", "kuma-cni" ->
                    found(
                            PROVIDER,
                            Level.ERROR,
                            type + " captures pods here",
                            "One of the two must: remove it, or keep this node out of the mesh.");
                case "cilium-cni" ->
                    found(
                            PROVIDER,
                            Level.WARNING,
                            "Cilium takes other plugins out of its folder and Services' addresses out of pods' sockets",
                            "Install it with cni.exclusive=false and socketLB.hostNamespaceOnly=true.");
                case "multus", "multus-shim" ->
                    found(
                            PROVIDER,
                            Level.WARNING,
                            "Multus calls the provider; only a pod's first network is captured",
                            "Nothing is to be done if pods have one network.");
                case "macvlan", "ipvlan" ->
                    found(
                            PROVIDER,
                            Level.WARNING,
                            type + " leads to pods past the node's rules, so that neighbours may look like the kubelet",
                            "Install with --set cni.probes=none.");
                default -> {}
            }
        }
    }

    /// TLS fills packets, so that one that is too big for the way out is not rare as it may be without the mesh.
    private void mtu() throws IOException {
        var way = read("proc/net/route")
                .lines()
                .map(line -> line.strip().split("\\s+", -1))
                .filter(columns -> columns.length > 7 && columns[1].equals("00000000"))
                .filter(columns -> columns[7].equals("00000000") && Integer.parseInt(columns[3], 16) >= 1)
                .map(columns -> columns[0])
                .findFirst();
        if (way.isEmpty()) {
            found(NETWORK, Level.WARNING, "there is no default route, so the MTU is not compared", "");
            return;
        }
        var out = mtu(way.get());
        var greater = new ArrayList<String>();
        try (var interfaces = Files.list(root.resolve("sys/class/net"))) {
            for (var one : interfaces.sorted().toList()) {
                if (isOfPods(one) && mtu(name(one)) > out) {
                    greater.add(name(one) + " " + mtu(name(one)));
                }
            }
        }
        if (out < LEAST_MTU) {
            found(NETWORK, Level.WARNING, "MTU of " + way.get() + " is " + out, "IPv6 needs " + LEAST_MTU + ".");
        } else if (greater.isEmpty()) {
            fine(NETWORK, "MTU of " + way.get() + " is " + out + ", and no pod's is greater");
        } else {
            found(
                    NETWORK,
                    Level.WARNING,
                    "MTU of " + way.get() + " is " + out + ", of pods' " + greater.getFirst()
                            + (greater.size() == 1 ? "" : " and " + (greater.size() - 1) + " more"),
                    "Connections through the mesh stall where the node's answer 'too big' is filtered: set the provider's MTU.");
        }
    }

    private int mtu(String device) throws IOException {
        var text = read("sys/class/net/" + device + "/mtu");
        return text.isEmpty() ? 0 : Integer.parseInt(text);
    }

    /// One of a pair, whose other end is elsewhere.
    private boolean isOfPods(Path device) throws IOException {
        var own = read("sys/class/net/" + name(device) + "/ifindex");
        var other = read("sys/class/net/" + name(device) + "/iflink");
        return !other.isEmpty() && !other.equals(own);
    }

    /// As the agent knows it.
    private void kubelet() throws IOException {
        var kubelet = KubeletProcess.find(root.resolve("proc"));
        if (kubelet.isEmpty()) {
            noKubelet();
            return;
        }
        Optional<OwnControlGroup> group;
        try {
            group = kubelet.get().group();
        } catch (IOException gone) {
            noKubelet();
            return;
        }
        if (group.isPresent()) {
            fine(KUBELET, "known by its control group " + group.get().path());
        } else {
            found(
                    KUBELET,
                    Level.WARNING,
                    "the kubelet has no control group (version 2) of its own and is known by its user, which is weaker",
                    "Other processes of this user on the node's network reach declared probe ports. Start it as a service of"
                            + " systemd, or --set cni.probes=none.");
        }
    }

    private void noKubelet() {
        found(
                KUBELET,
                Level.WARNING,
                "no process of this node is a kubelet",
                "Probes go through the proxy until one is.");
    }
}
