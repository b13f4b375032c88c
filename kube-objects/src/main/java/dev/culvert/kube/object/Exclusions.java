package dev.culvert.kube.object;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/// What a pod's own annotations keep out of the mesh, on purpose: that traffic passes in clear, and no
/// policy sees it. An annotation with a mistake excludes nothing.
///
/// @param problems what has no effect and why, for the pod's author
public record Exclusions(
        Set<Integer> inboundPorts, Set<Integer> outboundPorts, List<IpBlock> outboundBlocks, List<String> problems) {
    public static final String INBOUND_PORTS = "culvert.dev/exclude-inbound-ports";
    public static final String OUTBOUND_PORTS = "culvert.dev/exclude-outbound-ports";
    public static final String OUTBOUND_BLOCKS = "culvert.dev/exclude-outbound-cidrs";
    public static final Exclusions NOTHING = new Exclusions(Set.of(), Set.of(), List.of(), List.of());

    private static final String SIDECAR = "traffic.sidecar.istio.io/";
    private static final int MOST = 64;
    private static final int MAX_PORT = 65535;

    public Exclusions {
        inboundPorts = Set.copyOf(inboundPorts);
        outboundPorts = Set.copyOf(outboundPorts);
        outboundBlocks = List.copyOf(outboundBlocks);
        problems = List.copyOf(problems);
    }

    public static Exclusions of(Map<String, String> annotations) {
        var problems = new ArrayList<String>();
        var inbound = new TreeSet<Integer>();
        var outbound = new TreeSet<Integer>();
        var blocks = new ArrayList<IpBlock>();
        if (!each(annotations, INBOUND_PORTS, text -> inbound.add(port(text)), problems)) {
            inbound.clear();
        }
        if (!each(annotations, OUTBOUND_PORTS, text -> outbound.add(port(text)), problems)) {
            outbound.clear();
        }
        if (!each(annotations, OUTBOUND_BLOCKS, text -> blocks.add(IpBlock.parse(text)), problems)) {
            blocks.clear();
        }
        annotations.keySet().stream()
                .filter(name -> name.startsWith(SIDECAR))
                .sorted()
                .limit(MOST)
                .map(name -> name + " is for sidecars and has no effect; use " + INBOUND_PORTS + ", " + OUTBOUND_PORTS
                        + " or " + OUTBOUND_BLOCKS)
                .forEach(problems::add);
        return new Exclusions(inbound, outbound, blocks, problems);
    }

    /// Each as `DIRECTION WHAT`, for people.
    public List<String> openings() {
        var all = new ArrayList<String>();
        inboundPorts.stream().sorted().forEach(port -> all.add("inbound port " + port));
        outboundPorts.stream().sorted().forEach(port -> all.add("outbound port " + port));
        outboundBlocks.forEach(block -> all.add("outbound " + block.address().getHostAddress() + "/" + block.length()));
        return all;
    }

    private static boolean each(
            Map<String, String> annotations, String name, Consumer<String> reader, List<String> problems) {
        var text = annotations.getOrDefault(name, "").strip();
        if (text.isEmpty()) {
            return true;
        }
        var parts = text.split(",", -1);
        if (parts.length > MOST) {
            problems.add(name + " has " + parts.length + " entries and so no effect; at most " + MOST);
            return false;
        }
        for (var part : parts) {
            try {
                reader.accept(part.strip());
            } catch (IllegalArgumentException e) {
                problems.add(name + " has no effect: \"" + shortened(part.strip()) + "\" is not "
                        + (name.equals(OUTBOUND_BLOCKS) ? "ADDRESS/LENGTH" : "a port from 1 to " + MAX_PORT));
                return false;
            }
        }
        return true;
    }

    private static int port(String text) {
        var port = Integer.parseInt(text);
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException(text);
        }
        return port;
    }

    private static String shortened(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "…" : text;
    }
}
