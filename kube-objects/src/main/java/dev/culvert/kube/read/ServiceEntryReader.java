package dev.culvert.kube.read;

import dev.culvert.kube.object.IpBlock;
import dev.culvert.kube.object.Literals;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ServiceEntry;
import dev.culvert.kube.object.ServiceEntry.Resolution;
import dev.culvert.kube.object.WorkloadEntry;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.regex.Pattern;

/// Reads ServiceEntries and WorkloadEntries.
final class ServiceEntryReader {
    private static final int MAX_PORT = 65535;
    private static final int MAX_HOSTS = 256;
    private static final int MAX_ENDPOINTS = 4096;
    private static final Pattern NAME = Pattern.compile("(?=.{1,253}$)[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?"
            + "(\\.[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?)*\\.?");

    /// Means nothing to node proxies.
    private enum Location {
        MESH_EXTERNAL,
        MESH_INTERNAL
    }

    private ServiceEntryReader() {}

    static ServiceEntry serviceEntry(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(KnownFields.SERVICE_ENTRY);
        var resolution =
                spec.oneOf("resolution", Fields.words(Resolution.values())).orElse(Resolution.NONE);
        spec.oneOf("location", Fields.words(Location.values()));
        if (spec.has("exportTo") && !spec.texts("exportTo").equals(List.of("*"))) {
            spec.warning("exportTo", "spec.exportTo hides nothing from node proxies: the host is known everywhere", "");
        }
        var entry = new ServiceEntry(
                metadata,
                hosts(spec, resolution),
                spec.parsedList("addresses", "an IP address or a range of them", IpBlock::parse),
                ports(spec),
                resolution,
                spec.children("endpoints").stream()
                        .map(ServiceEntryReader::workload)
                        .toList(),
                spec.childOrEmpty("workloadSelector")
                        .knowing(KnownFields.ENTRY_SELECTOR)
                        .textMap("labels"),
                spec.texts("subjectAltNames"),
                allocated(object.childOrEmpty("status")),
                object.place());
        check(spec, entry);
        return entry;
    }

    private static List<String> hosts(Fields spec, Resolution resolution) {
        var hosts = spec.texts("hosts");
        if (hosts.isEmpty()) {
            spec.error("hosts", "spec.hosts is empty", "name the hosts that clients call");
        } else if (hosts.size() > MAX_HOSTS) {
            spec.error("hosts", "spec.hosts has more than " + MAX_HOSTS + " entries", "split the object");
        }
        for (var host : hosts) {
            var wildcard = host.startsWith("*.");
            if (!NAME.matcher(wildcard ? host.substring(2) : host).matches()) {
                spec.error("hosts", "spec.hosts: \"" + host + "\" is not a host name", "write a.b.c or *.b.c");
            } else if (wildcard && (resolution == Resolution.DNS || resolution == Resolution.DNS_ROUND_ROBIN)) {
                spec.error(
                        "hosts",
                        "spec.hosts: " + host + " cannot be looked up with resolution " + resolution,
                        "write resolution: DYNAMIC_DNS, or NONE");
            }
        }
        return hosts.stream().distinct().toList();
    }

    private static List<ServiceEntry.Port> ports(Fields spec) {
        var names = new HashSet<String>();
        var numbers = new HashSet<Integer>();
        return spec.children("ports").stream()
                .map(fields -> {
                    var port = port(fields.knowing(KnownFields.ENTRY_PORT));
                    if (!names.add(port.name())) {
                        fields.error("name", "two ports are named " + port.name(), "rename one of them");
                    }
                    if (!numbers.add(port.number())) {
                        fields.error("number", "two ports have the number " + port.number(), "remove one of them");
                    }
                    return port;
                })
                .toList();
    }

    private static ServiceEntry.Port port(Fields port) {
        if (!port.has("number")) {
            port.error("number", port.named("number") + " is missing", "add it");
        }
        var number = port.integer("number", 1, MAX_PORT).orElse(0);
        return new ServiceEntry.Port(
                port.requiredText("name"),
                number,
                port.integer("targetPort", 1, MAX_PORT).orElse(number),
                port.text("protocol", ""));
    }

    private static List<ServiceEntry.Allocated> allocated(Fields status) {
        return status.children("addresses").stream()
                .flatMap(one -> one.parsed("value", "an IP address", Literals::address).stream()
                        .map(address -> new ServiceEntry.Allocated(address, one.text("host", ""))))
                .toList();
    }

    private static void check(Fields spec, ServiceEntry entry) {
        var resolution = entry.resolution();
        if (!entry.endpoints().isEmpty() && spec.has("workloadSelector")) {
            spec.error(
                    "endpoints", "spec has both endpoints and a workloadSelector", "keep one: the other is not asked");
        }
        if (entry.endpoints().size() > MAX_ENDPOINTS) {
            spec.error("endpoints", "spec.endpoints has more than " + MAX_ENDPOINTS + " entries", "split the object");
        }
        if (resolution == Resolution.NONE && !entry.endpoints().isEmpty()) {
            spec.error(
                    "endpoints",
                    "endpoints mean nothing with resolution NONE: clients go to the address that they called",
                    "write resolution: STATIC, or DNS");
        }
        if (resolution == Resolution.DNS_ROUND_ROBIN && entry.endpoints().size() > 1) {
            spec.error("endpoints", "resolution DNS_ROUND_ROBIN takes one endpoint", "write resolution: DNS");
        }
        if (resolution.byName() && entry.addresses().stream().anyMatch(ServiceEntryReader::isRange)) {
            spec.error(
                    "addresses",
                    "a range of addresses cannot stand for one name",
                    "write single addresses, or resolution: NONE");
        }
        if (resolution == Resolution.STATIC) {
            entry.endpoints().stream()
                    .filter(endpoint -> !isAddress(endpoint.address()))
                    .forEach(endpoint -> spec.error(
                            "endpoints",
                            "endpoint " + endpoint.address() + " is a name, which resolution STATIC does not look up",
                            "write an IP address, or resolution: DNS"));
        }
        if (resolution == Resolution.STATIC
                && entry.endpoints().isEmpty()
                && entry.selector().isEmpty()) {
            spec.warning(
                    "resolution",
                    "nothing answers: resolution is STATIC, and there are neither endpoints nor a workloadSelector",
                    "add one of them");
        }
    }

    private static boolean isRange(IpBlock block) {
        return block.length() != block.address().getAddress().length * 8;
    }

    private static boolean isAddress(String text) {
        try {
            Literals.address(text);
            return true;
        } catch (IllegalArgumentException aName) {
            return false;
        }
    }

    static WorkloadEntry workloadEntry(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        return new WorkloadEntry(metadata, workload(object.childOrEmpty("spec")), object.place());
    }

    private static WorkloadEntry.Spec workload(Fields spec) {
        spec.knowing(KnownFields.WORKLOAD_ENTRY);
        var address = spec.requiredText("address");
        if (address.startsWith("unix:")) {
            spec.error(
                    "address", "node proxies do not reach UNIX sockets: " + address, "write an IP address or a name");
        } else if (!address.isEmpty()
                && !isAddress(address)
                && !NAME.matcher(address).matches()) {
            spec.error("address", "\"" + address + "\" is neither an IP address nor a name", "write one of them");
        }
        var ports = new LinkedHashMap<String, Integer>();
        spec.child("ports")
                .ifPresent(named -> named.names()
                        .forEach(name -> named.integer(name, 1, MAX_PORT).ifPresent(port -> ports.put(name, port))));
        return new WorkloadEntry.Spec(
                address,
                ports,
                spec.textMap("labels"),
                spec.text("network", ""),
                spec.text("locality", ""),
                spec.integer("weight", 0, Integer.MAX_VALUE).orElse(0),
                spec.text("serviceAccount", ""));
    }
}
