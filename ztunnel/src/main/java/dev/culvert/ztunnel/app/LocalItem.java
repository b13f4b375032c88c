package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.databind.JsonNode;
import dev.culvert.mesh.model.workload.Addresses;
import dev.culvert.mesh.model.workload.GatewayAddress;
import dev.culvert.mesh.model.workload.NamespacedHostname;
import dev.culvert.mesh.model.workload.NetworkAddress;
import dev.culvert.mesh.model.workload.Ports;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// One object of the local mesh file, whose keys are known. What is wrong with it is an `IllegalArgumentException` that
/// names it.
/// @param what in words, with its place in the file
record LocalItem(JsonNode node, String what) {
    /// @throws IllegalArgumentException for a key that is none of these, so that nothing is left out unnoticed
    static LocalItem of(JsonNode node, String what, Set<String> keys) {
        var item = new LocalItem(node, what);
        if (!node.isObject()) {
            throw item.wrong("expected an object with some of " + sorted(keys) + ", found: " + node);
        }
        for (var name : (Iterable<String>) node::fieldNames) {
            if (!keys.contains(name)) {
                throw item.wrong("unknown key '" + name + "'; known: " + sorted(keys));
            }
        }
        return item;
    }

    private static List<String> sorted(Set<String> keys) {
        return keys.stream().sorted().toList();
    }

    IllegalArgumentException wrong(String why) {
        return new IllegalArgumentException(what + ": " + why);
    }

    boolean has(String key) {
        return node.hasNonNull(key);
    }

    /// Refuses an item without one of these.
    LocalItem requiring(String... keys) {
        for (var key : keys) {
            if (!has(key)) {
                throw wrong("key '" + key + "' is missing");
            }
        }
        return this;
    }

    /// Empty if it is not there.
    String text(String key) {
        return text(key, "");
    }

    String text(String key, String otherwise) {
        var value = node.path(key);
        if (value.isContainerNode()) {
            throw wrong("'" + key + "' is not a text: " + value);
        }
        return has(key) ? value.asText() : otherwise;
    }

    boolean flag(String key) {
        var value = node.path(key);
        if (has(key) && !value.isBoolean()) {
            throw wrong("'" + key + "' is neither true nor false: " + value);
        }
        return value.asBoolean(false);
    }

    /// From 0 on.
    int number(String key, int otherwise) {
        var value = node.path(key);
        if (has(key) && (!value.canConvertToInt() || !value.isIntegralNumber() || value.intValue() < 0)) {
            throw wrong("'" + key + "' is not a number from 0 to " + Integer.MAX_VALUE + ": " + value);
        }
        return value.asInt(otherwise);
    }

    /// One of some words.
    <T> T choice(String key, T otherwise, Map<String, T> words) {
        return has(key) ? word(key, node.get(key), words) : otherwise;
    }

    <T> List<T> choices(String key, Map<String, T> words) {
        var all = new ArrayList<T>();
        list(key).forEach(item -> all.add(word(key, item, words)));
        return all;
    }

    private <T> T word(String key, JsonNode value, Map<String, T> words) {
        var chosen = words.get(value.asText());
        if (chosen == null) {
            throw wrong("'" + key + "' is " + value + ", expected one of " + sorted(words.keySet()));
        }
        return chosen;
    }

    /// Empty if it is not there.
    List<JsonNode> list(String key) {
        var value = node.path(key);
        if (has(key) && !value.isArray()) {
            throw wrong("'" + key + "' is not a list: " + value);
        }
        var items = new ArrayList<JsonNode>();
        value.forEach(items::add);
        return items;
    }

    List<String> texts(String key) {
        return list(key).stream().map(JsonNode::asText).toList();
    }

    List<InetAddress> addresses(String key) {
        return texts(key).stream().map(this::address).toList();
    }

    private InetAddress address(String text) {
        return Addresses.parse(text).orElseThrow(() -> wrong("not an address: '" + text + "'"));
    }

    /// `network/address`; the network may be empty.
    List<NetworkAddress> networkAddresses(String key) {
        return texts(key).stream()
                .map(text -> networkAddress(text).orElseThrow(() -> wrong("not network/address: '" + text + "'")))
                .toList();
    }

    private static Optional<NetworkAddress> networkAddress(String text) {
        var slash = text.indexOf('/');
        return slash < 0
                ? Optional.empty()
                : Addresses.parse(text.substring(slash + 1))
                        .map(ip -> new NetworkAddress(text.substring(0, slash), ip));
    }

    NamespacedHostname hostname(String text) {
        return NamespacedHostname.parse(text).orElseThrow(() -> wrong("not namespace/hostname: '" + text + "'"));
    }

    /// Service port to target port.
    Map<Integer, Integer> ports(String key) {
        var ports = new HashMap<Integer, Integer>();
        for (var entry : node.path(key).properties()) {
            ports.put(port(entry.getKey()), port(entry.getValue().asText()));
        }
        return ports;
    }

    int port(String text) {
        try {
            return Ports.require(Integer.parseInt(text));
        } catch (IllegalArgumentException _) {
            throw wrong("not a port: '" + text + "'");
        }
    }

    LocalItem item(String key, Set<String> keys) {
        return of(node.get(key), what + ", '" + key + "'", keys);
    }

    /// `{destination: <network/address or namespace/hostname>, hboneMtlsPort}`.
    GatewayAddress gateway(String key) {
        var at = item(key, Set.of("destination", "hboneMtlsPort")).requiring("destination", "hboneMtlsPort");
        var destination = at.text("destination");
        return new GatewayAddress(
                networkAddress(destination)
                        .<GatewayAddress.Destination>map(GatewayAddress.ByAddress::new)
                        .orElseGet(() -> new GatewayAddress.ByHostname(at.hostname(destination))),
                at.port(at.text("hboneMtlsPort")));
    }
}
