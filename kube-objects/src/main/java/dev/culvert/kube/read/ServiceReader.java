package dev.culvert.kube.read;

import dev.culvert.kube.object.EndpointSlice;
import dev.culvert.kube.object.Literals;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.PortRef;
import dev.culvert.kube.object.Service;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/// Reads Services and EndpointSlices.
final class ServiceReader {
    private static final int MAX_PORT = 65535;
    private static final Map<String, Service.Type> TYPES = Map.of(
            "ClusterIP", Service.Type.CLUSTER_IP,
            "NodePort", Service.Type.NODE_PORT,
            "LoadBalancer", Service.Type.LOAD_BALANCER,
            "ExternalName", Service.Type.EXTERNAL_NAME);

    private ServiceReader() {}

    static Service service(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(KnownFields.SERVICE_SPEC);
        var type = spec.oneOf("type", TYPES).orElse(Service.Type.CLUSTER_IP);
        return new Service(
                metadata,
                type,
                spec.text("clusterIP", "").equals("None"),
                addresses(spec),
                spec.texts("ipFamilies"),
                ports(spec, type),
                spec.textMap("selector"),
                spec.text("internalTrafficPolicy", "Cluster").equals("Local"),
                spec.text("trafficDistribution", ""),
                spec.flag("publishNotReadyAddresses"),
                balancers(object),
                object.place());
    }

    private static List<String> balancers(Fields object) {
        return object.childOrEmpty("status").childOrEmpty("loadBalancer").children("ingress").stream()
                .flatMap(one -> one.text("ip").or(() -> one.text("hostname")).stream())
                .toList();
    }

    private static List<InetAddress> addresses(Fields spec) {
        var texts = new ArrayList<String>();
        spec.text("clusterIP").ifPresent(texts::add);
        texts.addAll(spec.texts("clusterIPs"));
        var addresses = new ArrayList<InetAddress>();
        for (var text : texts) {
            if (!text.isEmpty() && !text.equals("None")) {
                add(addresses, spec, text);
            }
        }
        return addresses;
    }

    private static void add(List<InetAddress> addresses, Fields spec, String text) {
        try {
            var address = Literals.address(text);
            if (!addresses.contains(address)) {
                addresses.add(address);
            }
        } catch (IllegalArgumentException notAnAddress) {
            spec.error(
                    "clusterIP",
                    "spec.clusterIP: \"" + text + "\" is not an IP address",
                    "leave it out, or write None");
        }
    }

    private static List<Service.Port> ports(Fields spec, Service.Type type) {
        var ports = new ArrayList<Service.Port>();
        var names = new HashSet<String>();
        var all = spec.children("ports");
        for (var fields : all) {
            var port = port(fields.knowing(KnownFields.SERVICE_PORT));
            if (all.size() > 1 && port.name().isEmpty()) {
                fields.error(
                        "name", "a Service with several ports must name each", "add a name to " + fields.named("name"));
            } else if (!names.add(port.name())) {
                fields.error("name", "two ports are named " + port.name(), "rename one of them");
            }
            ports.add(port);
        }
        var mayBeEmpty =
                type == Service.Type.EXTERNAL_NAME || spec.text("clusterIP", "").equals("None");
        if (ports.isEmpty() && !mayBeEmpty) {
            spec.error("ports", "spec.ports is empty", "add a port");
        }
        return ports;
    }

    private static Service.Port port(Fields port) {
        if (!port.has("port")) {
            port.error("port", port.named("port") + " is missing", "add it");
        }
        var number = port.integer("port", 1, MAX_PORT).orElse(0);
        var target = port.has("targetPort") ? PodReader.portRef(port, "targetPort") : new PortRef.Numbered(number);
        return new Service.Port(
                port.text("name", ""), number, target, port.text("protocol", "TCP"), port.text("appProtocol", ""));
    }

    static EndpointSlice slice(Fields object, Metadata metadata) {
        object.knowing(KnownFields.ENDPOINT_SLICE);
        return new EndpointSlice(
                metadata,
                object.children("endpoints").stream()
                        .map(ServiceReader::endpoint)
                        .toList(),
                object.children("ports").stream().map(ServiceReader::slicePort).toList(),
                object.place());
    }

    private static EndpointSlice.Endpoint endpoint(Fields endpoint) {
        endpoint.knowing(KnownFields.ENDPOINT);
        var conditions = endpoint.childOrEmpty("conditions").knowing(KnownFields.ENDPOINT_CONDITIONS);
        var target = endpoint.childOrEmpty("targetRef").knowing(KnownFields.OBJECT_REFERENCE);
        return new EndpointSlice.Endpoint(
                endpoint.parsedList("addresses", "an IP address", Literals::address),
                !conditions.has("ready") || conditions.flag("ready"),
                target.text("kind", "").equals("Pod") ? target.text("name", "") : "");
    }

    private static EndpointSlice.Port slicePort(Fields port) {
        port.knowing(KnownFields.ENDPOINT_PORT);
        return new EndpointSlice.Port(
                port.text("name", ""), port.integer("port", 1, MAX_PORT).orElse(0));
    }
}
