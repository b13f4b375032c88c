package dev.culvert.istiod.ingress;

import dev.culvert.kube.object.Gateway;
import dev.culvert.kube.object.Gateway.Listener;
import dev.culvert.kube.object.Gateway.ObjectRef;
import dev.culvert.kube.object.Gateway.RouteKind;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.ParentRef;
import dev.culvert.kube.object.ReferenceGrant;
import dev.culvert.kube.object.TlsSecret;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What can be done of the listeners of one Gateway.
final class Listeners {
    /// What the gateway's own process listens on.
    static final Set<Integer> RESERVED = Set.of(15000, 15008, 15020, 15021);

    static final Set<String> PROTOCOLS = Set.of("HTTP", "HTTPS");
    private static final Set<Kind> HTTP_KINDS = EnumSet.of(Kind.HTTP_ROUTE, Kind.GRPC_ROUTE);

    private final Gateway gateway;
    private final ObjectSet objects;

    Listeners(Gateway gateway, ObjectSet objects) {
        this.gateway = gateway;
        this.objects = objects;
    }

    List<EdgeListener> all() {
        return gateway.listeners().stream().map(this::one).toList();
    }

    private EdgeListener one(Listener listener) {
        var certificates = new ArrayList<ServerKey>();
        var accepted = accepted(listener);
        var kinds = accepted.holds() ? kinds(listener) : EnumSet.noneOf(Kind.class);
        var secrets = accepted.holds() && listener.protocol().equals("HTTPS")
                ? secrets(listener, certificates)
                : Optional.<Verdict>empty();
        var resolved = secrets.or(() -> unknownKind(listener)).orElseGet(() -> Verdict.yes("ResolvedRefs"));
        return new EdgeListener(listener, accepted, conflicted(listener), resolved, certificates, kinds);
    }

    private static Verdict accepted(Listener listener) {
        if (!PROTOCOLS.contains(listener.protocol())) {
            return Verdict.no(
                    "UnsupportedProtocol", "protocol " + listener.protocol() + " is not served: write HTTP or HTTPS");
        }
        var mode = listener.tls().map(Gateway.Tls::mode).orElse("Terminate");
        if (listener.protocol().equals("HTTPS") && !mode.equals("Terminate")) {
            return Verdict.no("UnsupportedValue", "tls.mode of HTTPS is Terminate, not " + mode);
        }
        if (RESERVED.contains(listener.port())) {
            return Verdict.no("PortUnavailable", "port " + listener.port() + " is the gateway's own: write another");
        }
        return Verdict.yes("Accepted");
    }

    /// Of those that are in each other's way none is served: which one is meant is not clear.
    private Verdict conflicted(Listener listener) {
        var others = gateway.listeners().stream()
                .filter(one -> !one.name().equals(listener.name()) && one.port() == listener.port())
                .toList();
        for (var other : others) {
            if (!other.protocol().equals(listener.protocol())) {
                return new Verdict(
                        true,
                        "ProtocolConflict",
                        "listener " + other.name() + " has protocol " + other.protocol() + " on the same port "
                                + listener.port());
            }
            if (other.hostname().equals(listener.hostname())) {
                return new Verdict(
                        true,
                        "HostnameConflict",
                        "listener " + other.name() + " has the same hostname on the same port " + listener.port());
            }
        }
        return Verdict.no("NoConflicts", "No errors found");
    }

    // ---- kinds ----

    private static Set<Kind> kinds(Listener listener) {
        var wanted = listener.allowed().kinds();
        var kinds = EnumSet.noneOf(Kind.class);
        HTTP_KINDS.stream()
                .filter(kind -> wanted.isEmpty() || wanted.contains(new RouteKind(ParentRef.GATEWAY_API, kind.text())))
                .forEach(kinds::add);
        return kinds;
    }

    private static Optional<Verdict> unknownKind(Listener listener) {
        return listener.allowed().kinds().stream()
                .filter(wanted -> HTTP_KINDS.stream()
                        .noneMatch(kind -> wanted.equals(new RouteKind(ParentRef.GATEWAY_API, kind.text()))))
                .findFirst()
                .map(unknown -> Verdict.no(
                        "InvalidRouteKinds",
                        "routes of kind " + unknown.kind() + " cannot be attached: write HTTPRoute or GRPCRoute"));
    }

    // ---- certificates ----

    private Optional<Verdict> secrets(Listener listener, List<ServerKey> to) {
        var refs = listener.tls().map(Gateway.Tls::certificates).orElse(List.of());
        if (refs.isEmpty()) {
            return Optional.of(Verdict.no("InvalidCertificateRef", "HTTPS needs tls.certificateRefs with a Secret"));
        }
        Optional<Verdict> first = Optional.empty();
        for (var ref : refs) {
            var wrong = secret(ref, to);
            first = first.isPresent() ? first : wrong;
        }
        return first;
    }

    private Optional<Verdict> secret(ObjectRef ref, List<ServerKey> to) {
        var name = ref.namespace() + "/" + ref.name();
        if (!ref.group().isEmpty() || !ref.kind().equals("Secret")) {
            return invalid("a " + ref.kind() + " is no certificate: write kind: Secret");
        }
        if (!isGranted(ref)) {
            return Optional.of(Verdict.no(
                    "RefNotPermitted",
                    "no ReferenceGrant in namespace " + ref.namespace() + " lets a Gateway of namespace "
                            + gateway.namespace() + " name Secret " + ref.name()));
        }
        var secret = objects.find(TlsSecret.class, Kind.SECRET, ref.namespace(), ref.name());
        if (secret.isEmpty()) {
            return invalid("there is no Secret " + name + " of type " + TlsSecret.TYPE);
        }
        try {
            to.add(ServerKey.of(secret.get()));
            return Optional.empty();
        } catch (GeneralSecurityException wrong) {
            return invalid("Secret " + name + ": " + wrong.getMessage());
        }
    }

    private static Optional<Verdict> invalid(String why) {
        return Optional.of(Verdict.no("InvalidCertificateRef", why));
    }

    private boolean isGranted(ObjectRef ref) {
        return ref.namespace().equals(gateway.namespace())
                || objects.all(ReferenceGrant.class).stream()
                        .anyMatch(grant -> grant.namespace().equals(ref.namespace())
                                && grant.allows(gateway, "Secret", ref.name()));
    }
}
