package dev.culvert.kube.read;

import dev.culvert.kube.object.AuthorityMap;
import dev.culvert.kube.object.Deployment;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.Literals;
import dev.culvert.kube.object.MeshConfig;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.Namespace;
import dev.culvert.kube.object.Node;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.RevisionTag;
import dev.culvert.kube.object.ServiceAccount;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Reads one object, of any kind.
final class ObjectReader {
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");
    private static final Pattern LABEL_VALUE = Pattern.compile("([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?");
    private static final int MAX_REPLICAS = 1000;

    private ObjectReader() {}

    /// What could be read of one object: its key, if that much was clear, and the object, if its document has
    /// no error.
    ///
    /// @param foreign whether it is clearly not one that we act on
    record Result(Optional<ObjectKey> key, Optional<KubeObject> object, boolean foreign) {
        static final Result NOTHING = new Result(Optional.empty(), Optional.empty(), false);
        static final Result FOREIGN = new Result(Optional.empty(), Optional.empty(), true);
    }

    static Result read(Document document, Fields object) {
        var kindText = object.requiredText("kind");
        var apiVersion = object.requiredText("apiVersion");
        document.named((kindText + " " + nameForMessages(object)).strip());
        if (document.hasErrors()) {
            return Result.NOTHING;
        }
        var kind = Kind.of(kindText, apiVersion);
        if (kind.isEmpty() || isForeign(kind.get(), object)) {
            return unknown(object, kindText, kind.isPresent());
        }
        if (!kind.get().apiVersions().contains(apiVersion)) {
            var right = kind.get().apiVersions().getFirst();
            object.error("apiVersion", "unknown apiVersion " + apiVersion + " of " + kindText, "write " + right);
            return Result.NOTHING;
        }
        var metadata = metadata(object, kind.get());
        document.named(new ObjectKey(kind.get(), metadata.namespace(), metadata.name()).toString());
        var read = read(kind.get(), object, metadata);
        var key = metadata.name().isEmpty() ? Optional.<ObjectKey>empty() : Optional.of(read.key());
        return new Result(key, document.hasErrors() ? Optional.empty() : Optional.of(read), false);
    }

    private static String nameForMessages(Fields object) {
        return object.child("metadata")
                .flatMap(metadata -> metadata.text("name"))
                .orElse("");
    }

    /// Whether an object of a kind that we read is nothing for us.
    static boolean isForeign(Kind kind, Fields object) {
        return switch (kind) {
            case SECRET -> !SecretReader.isOne(object);
            case CONFIG_MAP ->
                !isMeshConfig(object) && !object.childOrEmpty("data").has(AuthorityMap.ENTRY);
            case MUTATING_WEBHOOK ->
                !object.childOrEmpty("metadata").childOrEmpty("labels").has(RevisionTag.TAG);
            default -> false;
        };
    }

    private static boolean isMeshConfig(Fields object) {
        return nameForMessages(object).equals(MeshConfig.NAME)
                && object.childOrEmpty("data").has(MeshConfig.ENTRY);
    }

    private static Result unknown(Fields object, String kind, boolean foreign) {
        if (foreign || KnownKinds.ignored(kind)) {
            object.warning("kind", kind + " is not supported yet and is ignored", "remove it, or do not count on it");
            return Result.FOREIGN;
        }
        var hint = Hints.nearest(kind, KnownKinds.all()).map(near -> "did you mean " + near + "?");
        object.error("kind", "unknown kind " + kind, hint.orElse("write a kind of Kubernetes or Istio"));
        return Result.NOTHING;
    }

    /// What stands for an object that cannot be read, if it would have closed something.
    static Optional<KubeObject> closed(ObjectKey key, Fields object) {
        var document = Document.inCluster(key);
        var metadata = metadata(object.in(Document.inCluster(key)), key.kind());
        return switch (key.kind()) {
            case AUTHORIZATION_POLICY -> PolicyReader.closedPolicy(object.in(document), document, metadata);
            case PEER_AUTHENTICATION -> Optional.of(PolicyReader.strict(object.in(document), document, metadata));
            default -> Optional.empty();
        };
    }

    private static Metadata metadata(Fields object, Kind kind) {
        var fields = object.childOrEmpty("metadata").knowing(KnownFields.METADATA);
        var name = fields.requiredText("name");
        if (!name.isEmpty() && !NAME.matcher(name).matches()) {
            fields.error("name", "\"" + name + "\" is not a Kubernetes name", "write lower-case letters, digits and -");
        }
        if (!kind.namespaced() && fields.has("namespace")) {
            fields.error("namespace", "a " + kind.text() + " has no namespace", "remove metadata.namespace");
        }
        return new Metadata(
                name,
                kind.namespaced() ? fields.text("namespace", "default") : "",
                fields.text("uid", ""),
                labels(fields),
                fields.textMap("annotations"),
                owner(fields),
                fields.parsed("creationTimestamp", "an RFC 3339 time", ObjectReader::instant),
                fields.has("deletionTimestamp"),
                fields.integer("generation", 0, Integer.MAX_VALUE).orElse(0));
    }

    private static Map<String, String> labels(Fields metadata) {
        var labels = metadata.textMap("labels");
        labels.forEach((key, value) -> {
            if (!LABEL_VALUE.matcher(value).matches()) {
                metadata.error(
                        "labels",
                        "label " + key + ": \"" + value + "\" is not a label value",
                        "write at most 63 letters, digits, -, _ and .");
            }
        });
        return labels;
    }

    private static Optional<Metadata.Owner> owner(Fields metadata) {
        return metadata.children("ownerReferences").stream()
                .map(owner -> owner.knowing(KnownFields.OWNER))
                .filter(owner -> owner.flag("controller"))
                .map(owner -> new Metadata.Owner(owner.requiredText("kind"), owner.requiredText("name")))
                .findFirst();
    }

    private static Instant instant(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException notATime) {
            throw new IllegalArgumentException(text, notATime);
        }
    }

    private static KubeObject read(Kind kind, Fields object, Metadata metadata) {
        return switch (kind) {
            case NAMESPACE ->
                new Namespace(metadata, object.knowing(KnownFields.OBJECT_SPEC).place());
            case NODE -> node(object, metadata);
            case POD -> PodReader.pod(object, metadata);
            case SERVICE -> ServiceReader.service(object, metadata);
            case SECRET -> SecretReader.secret(object, metadata);
            case CONFIG_MAP ->
                isMeshConfig(object) ? MeshConfigReader.meshConfig(object, metadata) : authorities(object, metadata);
            case SERVICE_ACCOUNT ->
                new ServiceAccount(
                        metadata, object.knowing(KnownFields.SERVICE_ACCOUNT).place());
            case ENDPOINT_SLICE -> ServiceReader.slice(object, metadata);
            case DEPLOYMENT -> deployment(object, metadata);
            case MUTATING_WEBHOOK ->
                new RevisionTag(metadata, object.knowing(KnownFields.WEBHOOKS).place());
            case PEER_AUTHENTICATION -> PolicyReader.peerAuthentication(object, metadata);
            case AUTHORIZATION_POLICY -> PolicyReader.authorizationPolicy(object, metadata);
            case GATEWAY -> GatewayReader.gateway(object, metadata);
            case ISTIO_GATEWAY -> IstioGatewayReader.gateway(object, metadata);
            case GATEWAY_CLASS -> GatewayReader.gatewayClass(object, metadata);
            case HTTP_ROUTE -> HttpRouteReader.route(object, metadata);
            case VIRTUAL_SERVICE -> VirtualServiceReader.virtualService(object, metadata);
            case DESTINATION_RULE -> DestinationRuleReader.destinationRule(object, metadata);
            case GRPC_ROUTE -> HttpRouteReader.grpcRoute(object, metadata);
            case TCP_ROUTE, TLS_ROUTE -> RawRouteReader.route(object, metadata, kind);
            case REFERENCE_GRANT -> RawRouteReader.grant(object, metadata);
            case REQUEST_AUTHENTICATION -> TokenReader.requestAuthentication(object, metadata);
            case SERVICE_ENTRY -> ServiceEntryReader.serviceEntry(object, metadata);
            case WORKLOAD_ENTRY -> ServiceEntryReader.workloadEntry(object, metadata);
            case SIDECAR, ENVOY_FILTER, PROXY_CONFIG, WORKLOAD_GROUP, WASM_PLUGIN, TRAFFIC_EXTENSION ->
                UnservedKinds.read(object, metadata, kind);
            case TELEMETRY -> TelemetryReader.telemetry(object, metadata);
        };
    }

    private static AuthorityMap authorities(Fields object, Metadata metadata) {
        var data = object.knowing(KnownFields.CONFIG_MAP).childOrEmpty("data");
        return new AuthorityMap(metadata, data.text(AuthorityMap.ENTRY, ""), object.place());
    }

    private static Node node(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        object.childOrEmpty("spec").knowing(KnownFields.NODE_SPEC);
        var status = object.childOrEmpty("status").knowing(KnownFields.NODE_STATUS);
        var addresses = status.children("addresses").stream()
                .map(address -> address.knowing(KnownFields.NODE_ADDRESS))
                .filter(address -> address.requiredText("type").equals("InternalIP"))
                .flatMap(address -> address.parsed("address", "an IP address", Literals::address).stream())
                .toList();
        return new Node(metadata, addresses, object.place());
    }

    private static Deployment deployment(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(KnownFields.DEPLOYMENT_SPEC);
        var selector = spec.childOrEmpty("selector")
                .knowing(KnownFields.LABEL_SELECTOR)
                .textMap("matchLabels");
        var template = spec.childOrEmpty("template").knowing(KnownFields.TEMPLATE);
        var templateMetadata = template.childOrEmpty("metadata").knowing(KnownFields.METADATA);
        var labels = labels(templateMetadata);
        if (!labels.entrySet().containsAll(selector.entrySet())) {
            spec.error("selector", "spec.selector does not match the template's labels", "make them the same");
        }
        return new Deployment(
                metadata,
                spec.integer("replicas", 0, MAX_REPLICAS).orElse(1),
                selector,
                new Deployment.Template(
                        labels, templateMetadata.textMap("annotations"), PodReader.spec(template.childOrEmpty("spec"))),
                object.place());
    }
}
