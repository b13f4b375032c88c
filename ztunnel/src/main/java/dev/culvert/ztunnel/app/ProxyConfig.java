package dev.culvert.ztunnel.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.culvert.daemon.config.ConfigReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/// Istio's ProxyConfig: `defaultConfig` of the mesh file, and the variable `PROXY_CONFIG` over it, key by key. Only the
/// keys below are read; the others are for sidecars.
/// @param discoveryAddress empty if not given
/// @param concurrency empty if not given
record ProxyConfig(
        String discoveryAddress, int adminPort, int statsPort, OptionalInt concurrency, Map<String, String> metadata) {
    private static final int ADMIN_PORT = 15000;
    private static final int STATS_PORT = 15020;

    ProxyConfig {
        metadata = Map.copyOf(metadata);
    }

    static ProxyConfig read(ConfigReader read, Path meshFile) {
        var file = parse(read, meshFile.toString(), textOf(read, meshFile)).path("defaultConfig");
        var variable = parse(
                read,
                "PROXY_CONFIG",
                read.optional(
                                "PROXY_CONFIG",
                                "ProxyConfig as YAML, over defaultConfig of " + meshFile
                                        + ": discoveryAddress, proxyAdminPort, statsPort, concurrency, proxyMetadata")
                        .orElse(""));
        var metadata = new TreeMap<String, String>();
        for (var from : new JsonNode[] {file, variable}) {
            from.path("proxyMetadata")
                    .properties()
                    .forEach(entry ->
                            metadata.put(entry.getKey(), entry.getValue().asText()));
        }
        var merged = new Merged(read, file, variable);
        var concurrency = merged.integer("concurrency", -1, 1024);
        return new ProxyConfig(
                merged.find("discoveryAddress").asText(""),
                merged.integer("proxyAdminPort", ADMIN_PORT, 65535),
                merged.integer("statsPort", STATS_PORT, 65535),
                concurrency < 0 ? OptionalInt.empty() : OptionalInt.of(concurrency),
                metadata);
    }

    private static String textOf(ConfigReader read, Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            read.refuse(file + ": cannot be read: " + e.getMessage());
            return "";
        }
    }

    private static JsonNode parse(ConfigReader read, String what, String yaml) {
        if (yaml.isBlank()) {
            return MissingNode.getInstance();
        }
        try {
            var root = new ObjectMapper(new YAMLFactory()).readTree(yaml);
            if (root.isObject()) {
                return root;
            }
            read.refuse(what + ": expected a YAML mapping");
        } catch (JsonProcessingException bad) {
            read.refuse(what + ": not YAML: " + bad.getOriginalMessage());
        }
        return MissingNode.getInstance();
    }

    private record Merged(ConfigReader read, JsonNode file, JsonNode variable) {
        JsonNode find(String key) {
            return variable.hasNonNull(key) ? variable.path(key) : file.path(key);
        }

        int integer(String key, int defaultValue, int max) {
            var found = find(key);
            if (found.isMissingNode() || found.isNull()) {
                return defaultValue;
            }
            if (!found.canConvertToInt() || !found.isIntegralNumber() || found.asInt() < 0 || found.asInt() > max) {
                read.refuse("ProxyConfig " + key + "=" + found + ": expected integer 0.." + max);
                return defaultValue;
            }
            return found.asInt();
        }
    }

    /// Node metadata with what the environment says over it.
    Map<String, String> metadataWith(Map<String, String> environment) {
        var all = new TreeMap<>(metadata);
        all.putAll(environment);
        return all;
    }

    /// The parsed values of `ISTIO_METAJSON_*`.
    Map<String, Object> jsonMetadata(Map<String, String> environment, ConfigReader read) {
        if (environment.isEmpty()) {
            return Map.of(); // without loading a JSON library
        }
        var json = new ObjectMapper();
        var all = new TreeMap<String, Object>();
        environment.forEach((name, text) -> {
            try {
                all.put(name, json.readValue(text, Object.class));
            } catch (JsonProcessingException bad) {
                read.refuse("ISTIO_METAJSON_" + name + ": not JSON: " + bad.getOriginalMessage());
            }
        });
        return all;
    }
}
