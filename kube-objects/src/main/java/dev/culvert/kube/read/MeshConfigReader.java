package dev.culvert.kube.read;

import dev.culvert.kube.object.MeshConfig;
import dev.culvert.kube.object.MeshConfig.PathNormalization;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.Visibility;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Reads the ConfigMap `istio`. What Istio's own installation writes there for its sidecars says nothing here, and is
/// passed over in silence; what somebody may count on is named.
final class MeshConfigReader {
    private static final Set<String> DATA = Set.of("mesh", "meshNetworks");
    private static final Set<String> USED = Set.of(
            "connectTimeout",
            "defaultDestinationRuleExportTo",
            "defaultHttpRetryPolicy",
            "defaultVirtualServiceExportTo",
            "discoverySelectors",
            "pathNormalization",
            "rootNamespace",
            "trustDomain");
    /// Of sidecars, of Envoy, or what we always do.
    private static final Set<String> WITHOUT_MEANING = Set.of(
            "ca",
            "certificates",
            "configSources",
            "defaultConfig",
            "disableEnvoyListenerLog",
            "enableAutoMtls",
            "enableEnvoyAccessLogService",
            "enablePrometheusMerge",
            "h2UpgradePolicy",
            "inboundClusterStatName",
            "inboundTrafficPolicy",
            "ingressClass",
            "ingressControllerMode",
            "ingressSelector",
            "ingressService",
            "outboundClusterStatName",
            "protocolDetectionTimeout",
            "proxyHttpPort",
            "proxyInboundListenPort",
            "proxyListenPort",
            "tcpKeepalive",
            "verifyCertificateAtClient");
    /// What to do instead.
    private static final Map<String, String> NOT_YET = Map.ofEntries(
            Map.entry("caCertificates", "put further roots into the Secret cacerts"),
            Map.entry("defaultServiceExportTo", "remove it: every Service is seen"),
            Map.entry("defaultTrafficPolicy", "write a DestinationRule for each host"),
            Map.entry("dnsRefreshRate", "remove it"),
            Map.entry("hboneIdleTimeout", "set CULVERT_TUNNEL_IDLE of ztunnel"),
            Map.entry("localityLbSetting", "write it in a DestinationRule"),
            Map.entry("meshMTLS", "remove it: TLS 1.3 only"),
            Map.entry("outboundTrafficPolicy", "remove it: every address may be called"),
            Map.entry("serviceEntryVisibility", "remove it"),
            Map.entry("serviceScopeConfigs", "remove it: there is one cluster"),
            Map.entry("serviceSettings", "remove it"),
            Map.entry("tlsDefaults", "remove it"),
            Map.entry("trustDomainAliases", "name each trust domain in the policies"));
    private static final Map<String, PathNormalization> NORMALIZATIONS = Map.of(
            "DEFAULT", PathNormalization.BASE,
            "NONE", PathNormalization.BASE,
            "BASE", PathNormalization.BASE,
            "MERGE_SLASHES", PathNormalization.MERGE_SLASHES,
            "DECODE_AND_MERGE_SLASHES", PathNormalization.DECODE_AND_MERGE_SLASHES);

    private MeshConfigReader() {}

    static MeshConfig meshConfig(Fields object, Metadata metadata) {
        object.knowing(KnownFields.CONFIG_MAP);
        object.childOrEmpty("data").knowing(DATA);
        var mesh = object.childOrEmpty("data").embedded(MeshConfig.ENTRY);
        check(mesh);
        return new MeshConfig(
                metadata,
                mesh.text("trustDomain"),
                mesh.text("rootNamespace"),
                mesh.children("discoverySelectors").stream()
                        .map(SelectorReader::selector)
                        .toList(),
                mesh.child("defaultHttpRetryPolicy").map(VirtualServiceActions::retry),
                ProxyConfigReader.trustedProxies(mesh.childOrEmpty("defaultConfig"))
                        .orElse(0),
                paths(mesh.childOrEmpty("pathNormalization").knowing(Set.of("normalization"))),
                MeshTelemetryReader.telemetry(mesh),
                new MeshConfig.Defaults(
                        RuleFields.duration(mesh, "connectTimeout"),
                        new Visibility(mesh.texts("defaultVirtualServiceExportTo")),
                        new Visibility(mesh.texts("defaultDestinationRuleExportTo"))),
                object.place());
    }

    /// No schema has seen it: a name that nobody knows is a mistake here in a cluster, too.
    private static void check(Fields mesh) {
        for (var name : mesh.names()) {
            var instead = Optional.ofNullable(NOT_YET.get(name));
            if (MeshTelemetryReader.FIELDS.contains(name)) {
                continue;
            }
            if (instead.isPresent()) {
                mesh.warning(name, mesh.named(name) + " has no effect here", instead.get());
            } else if (!USED.contains(name) && !WITHOUT_MEANING.contains(name)) {
                var known = new TreeSet<>(USED);
                known.addAll(WITHOUT_MEANING);
                known.addAll(NOT_YET.keySet());
                known.addAll(MeshTelemetryReader.FIELDS);
                mesh.warning(
                        name,
                        "unknown field " + mesh.named(name),
                        Hints.nearest(name, known)
                                .map(near -> "did you mean " + near + "?")
                                .orElse("remove it"));
            }
        }
    }

    private static PathNormalization paths(Fields normalization) {
        if (normalization.text("normalization", "").equals("NONE")) {
            normalization.warning(
                    "normalization",
                    normalization.named("normalization")
                            + " NONE would let two spellings of a path past a policy: paths are normalized as BASE says",
                    "write BASE");
        }
        return normalization.oneOf("normalization", NORMALIZATIONS).orElse(PathNormalization.BASE);
    }
}
