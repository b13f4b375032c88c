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
import java.util.stream.Collectors;

/// What can be done of the listeners of one Gateway.
public final class Listeners {
    /// What the gateway's own process listens on.
    static final Set<Integer> RESERVED = Set.of(15000, 15008, 15020, 15021);

    static final Set<String> PROTOCOLS = Set.of("HTTP", "HTTPS", "TLS", "TCP");
    private static final Set<String> WITH_TLS = Set.of("HTTPS", "TLS");
    private static final String PASSTHROUGH = "Passthrough";

    private final Gateway gateway;
    private final ObjectSet objects;

    Listeners(Gateway gateway, ObjectSet objects) {
        this.gateway = gateway;
        this.objects = objects;
    }

    /// Whether a port is the process's own.
    public static boolean isReserved(int port) {
        return RESERVED.contains(port);
    }

    List<EdgeListener> all() {
        return gateway.listeners().stream().map(this::one).toList();
    }

    private EdgeListener one(Listener listener) {
        var certificates = new ArrayList<ServerKey>();
        var clients = clients(listener);
        var accepted = accepted(listener, clients);
        var kinds = accepted.holds() ? kinds(listener) : EnumSet.noneOf(Kind.class);
        var secrets = accepted.holds()
                        && WITH_TLS.contains(listener.protocol())
                        && !mode(listener).equals(PASSTHROUGH)
                ? secrets(listener, certificates)
                : Optional.<Verdict>empty();
        var resolved = secrets.or(() -> clients.flatMap(ClientAuthorities::wrong))
                .or(() -> unknownKind(listener))
                .orElseGet(() -> Verdict.yes("ResolvedRefs"));
        return new EdgeListener(
                listener,
                accepted,
                conflicted(listener),
                resolved,
                certificates,
                clients.map(ClientAuthorities::certificates),
                kinds);
    }

    /// Of HTTPS, if its clients are asked for certificates.
    private Optional<ClientAuthorities> clients(Listener listener) {
        var refs = gateway.frontend().authorities(listener.port());
        return refs.isEmpty() || !listener.protocol().equals("HTTPS")
                ? Optional.empty()
                : Optional.of(ClientAuthorities.of(refs, gateway, objects));
    }

    private static Verdict accepted(Listener listener, Optional<ClientAuthorities> clients) {
        if (!PROTOCOLS.contains(listener.protocol())) {
            return Verdict.no(
                    "UnsupportedProtocol",
                    "protocol " + listener.protocol() + " is not served: write HTTP, HTTPS, TLS or TCP");
        }
        var mode = mode(listener);
        if (listener.protocol().equals("HTTPS") && !mode.equals("Terminate")) {
            return Verdict.no("UnsupportedValue", "tls.mode of HTTPS is Terminate, not " + mode);
        }
        if (listener.protocol().equals("TLS")
                && !Set.of("Terminate", PASSTHROUGH).contains(mode)) {
            return Verdict.no("UnsupportedValue", "tls.mode of TLS is Terminate or Passthrough, not " + mode);
        }
        if (listener.protocol().equals("TCP") && listener.tls().isPresent()) {
            return Verdict.no("UnsupportedValue", "TCP has no tls: write protocol TLS, or remove it");
        }
        if (RESERVED.contains(listener.port())) {
            return Verdict.no("PortUnavailable", "port " + listener.port() + " is the gateway's own: write another");
        }
        if (clients.filter(one -> one.certificates().isEmpty()).isPresent()) {
            return Verdict.no(
                    "NoValidCACertificate",
                    "nobody could get in: none of spec.tls.frontend's caCertificateRefs can be used; "
                            + clients.flatMap(ClientAuthorities::wrong)
                                    .map(Verdict::message)
                                    .orElse(""));
        }
        return Verdict.yes("Accepted");
    }

    private static String mode(Listener listener) {
        return listener.tls().map(Gateway.Tls::mode).orElse("Terminate");
    }

    /// Of those that are in each other's way none is served: which one is meant is not clear.
    private Verdict conflicted(Listener listener) {
        var others = gateway.listeners().stream()
                .filter(one -> !one.name().equals(listener.name()) && one.port() == listener.port())
                .toList();
        for (var other : others) {
            if (!other.protocol().equals(listener.protocol())
                    && !(WITH_TLS.contains(other.protocol()) && WITH_TLS.contains(listener.protocol()))) {
                return new Verdict(
                        true,
                        "ProtocolConflict",
                        "listener " + other.name() + " has protocol " + other.protocol() + " on the same port "
                                + listener.port());
            }
            if (other.hostname().equals(listener.hostname())
                    || listener.protocol().equals("TCP")) {
                return new Verdict(
                        true,
                        "HostnameConflict",
                        "listener " + other.name() + " takes the same on the same port " + listener.port());
            }
        }
        return Verdict.no("NoConflicts", "No errors found");
    }

    // ---- kinds ----

    private static Set<Kind> kinds(Listener listener) {
        var wanted = listener.allowed().kinds();
        return carried(listener).stream()
                .filter(kind -> wanted.isEmpty() || wanted.contains(new RouteKind(ParentRef.GATEWAY_API, kind.text())))
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Kind.class)));
    }

    /// Kinds of routes that say something of what a listener takes.
    private static Set<Kind> carried(Listener listener) {
        return switch (listener.protocol()) {
            case "TCP" -> EnumSet.of(Kind.TCP_ROUTE);
            case "TLS" ->
                mode(listener).equals(PASSTHROUGH)
                        ? EnumSet.of(Kind.TLS_ROUTE)
                        : EnumSet.of(Kind.TLS_ROUTE, Kind.TCP_ROUTE);
            default -> EnumSet.of(Kind.HTTP_ROUTE, Kind.GRPC_ROUTE);
        };
    }

    private static Optional<Verdict> unknownKind(Listener listener) {
        var carried = carried(listener);
        return listener.allowed().kinds().stream()
                .filter(wanted -> carried.stream()
                        .noneMatch(kind -> wanted.equals(new RouteKind(ParentRef.GATEWAY_API, kind.text()))))
                .findFirst()
                .map(unknown -> Verdict.no(
                        "InvalidRouteKinds",
                        "routes of kind " + unknown.kind() + " cannot be attached: write "
                                + carried.stream().map(Kind::text).collect(Collectors.joining(" or "))));
    }

    // ---- certificates ----

    private Optional<Verdict> secrets(Listener listener, List<ServerKey> to) {
        var refs = listener.tls().map(Gateway.Tls::certificates).orElse(List.of());
        if (refs.isEmpty()) {
            return Optional.of(Verdict.no(
                    "InvalidCertificateRef", listener.protocol() + " needs tls.certificateRefs with a Secret"));
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
        var secret = objects.find(TlsSecret.class, Kind.SECRET, ref.namespace(), ref.name())
                .filter(TlsSecret::isTls);
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
