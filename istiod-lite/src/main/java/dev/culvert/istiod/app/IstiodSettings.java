package dev.culvert.istiod.app;

import dev.culvert.daemon.config.ConfigException;
import dev.culvert.daemon.config.ConfigReader;
import dev.culvert.daemon.config.Env;
import dev.culvert.daemon.config.Setting;
import dev.culvert.daemon.log.AccessFormat;
import dev.culvert.daemon.log.LogConfig;
import dev.culvert.istiod.ambient.Revisions;
import dev.culvert.istiod.ambient.TranslationSettings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What the controller reads from its environment; folders come on the command line.
///
/// @param podName this replica's, in a cluster
/// @param namespace the system namespace
/// @param nodeAccounts `namespace/account` of node proxies
/// @param customHost further names of our own certificate
/// @param signerDir of [dev.culvert.istiod.ca.FolderSigner]
record IstiodSettings(
        int grpcPort,
        int monitoringPort,
        int httpPort,
        int debugPort,
        int webhookPort,
        String clusterId,
        String trustDomain,
        String rootNamespace,
        String clusterDomain,
        String network,
        String podName,
        String namespace,
        String revision,
        Set<String> nodeAccounts,
        List<String> tokenAudiences,
        List<String> customHost,
        String waypointImage,
        AccessFormat waypointAccessLog,
        Optional<Path> signerDir,
        LogConfig log,
        List<Setting> settings) {
    static IstiodSettings from(Env env) throws ConfigException {
        var read = new ConfigReader(env);
        var namespace = read.string("POD_NAMESPACE", "istio-system", "the system namespace, ours");
        var all = new IstiodSettings(
                read.integer("CULVERT_GRPC_PORT", 15012, 0, 65535, "xDS and certificates, TLS"),
                read.integer("CULVERT_MONITORING_PORT", 15014, 0, 65535, "metrics and readiness"),
                read.integer("CULVERT_HTTP_PORT", 8080, 0, 65535, "readiness, in a cluster"),
                read.integer("CULVERT_DEBUG_PORT", 9876, 0, 65535, "debug pages in a cluster, on loopback only"),
                read.integer("CULVERT_WEBHOOK_PORT", 15017, 0, 65535, "what the API server asks, HTTPS, in a cluster"),
                read.string("CLUSTER_ID", "Kubernetes", "cluster id"),
                read.string("TRUST_DOMAIN", "cluster.local", "trust domain"),
                read.string("ROOT_NAMESPACE", namespace, "where policies hold for the whole mesh"),
                read.string("DOMAIN_SUFFIX", "cluster.local", "the end of Service hostnames"),
                read.string("NETWORK", "", "the network that all pods are on"),
                read.string("POD_NAME", "istiod", "this replica, for the election of the one that writes"),
                namespace,
                read.parsed(
                        "REVISION",
                        "a name of lower-case letters, digits and -",
                        Revisions.DEFAULT,
                        IstiodSettings::revision,
                        "which objects are ours, by their label `istio.io/rev`; the Service is `istiod`, or"
                                + " `istiod-REVISION`"),
                Set.copyOf(list(read.string(
                        "CA_TRUSTED_NODE_ACCOUNTS",
                        namespace + "/ztunnel",
                        "accounts of node proxies, which may ask for the identities of their node"))),
                list(read.string("TOKEN_AUDIENCES", "istio-ca", "audiences that tokens must be meant for")),
                list(read.string("ISTIOD_CUSTOM_HOST", "", "further names in our certificate")),
                read.string(
                        "CULVERT_WAYPOINT_IMAGE", "", "image of the waypoints that are deployed; without one none are"),
                read.parsed(
                        "CULVERT_WAYPOINT_ACCESS_LOG",
                        "fields, text, json or off",
                        "fields",
                        AccessFormat::parse,
                        "access log of the waypoints that are deployed"),
                Optional.of(read.string(
                                "CULVERT_SIGNER_DIR",
                                "",
                                "folder over which another program signs certificates (docs/kubernetes.md); without"
                                        + " one they are signed with a key of ours"))
                        .filter(folder -> !folder.isEmpty())
                        .map(Path::of),
                LogConfig.from(read),
                read.settings());
        read.done();
        return all;
    }

    TranslationSettings translation() {
        return new TranslationSettings(rootNamespace, clusterId, trustDomain, network, clusterDomain, revision);
    }

    /// The name of our Service.
    String service() {
        return revision.equals(Revisions.DEFAULT) ? "istiod" : "istiod-" + revision;
    }

    /// Istio's own charts leave the default's empty. With `istiod-` before it, it is a name of a Service.
    private static String revision(String text) {
        if (text.isEmpty()) {
            return Revisions.DEFAULT;
        }
        if (!text.matches("[a-z0-9]([-a-z0-9]{0,54}[a-z0-9])?")) {
            throw new IllegalArgumentException(text);
        }
        return text;
    }

    private static List<String> list(String text) {
        return Arrays.stream(text.split(","))
                .map(String::strip)
                .filter(item -> !item.isEmpty())
                .toList();
    }
}
