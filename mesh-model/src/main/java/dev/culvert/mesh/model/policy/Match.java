package dev.culvert.mesh.model.policy;

import dev.culvert.mesh.model.identity.SpiffeId;
import dev.culvert.mesh.model.workload.Cidr;
import java.net.InetAddress;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// One alternative of a clause; its kinds are AND-ed (Istio `istio.security.Match`).
public record Match(
        Pair<StringMatch> namespaces,
        Pair<StringMatch> principals,
        Pair<Cidr> sourceIps,
        Pair<Cidr> destinationIps,
        Pair<Integer> destinationPorts,
        Pair<ServiceAccount> serviceAccounts) {

    /// Values of which one must hit (none given: anything does), and values of which none may.
    public record Pair<T>(List<T> any, List<T> none) {
        public Pair {
            any = List.copyOf(any);
            none = List.copyOf(none);
        }

        public static <T> Pair<T> empty() {
            return new Pair<>(List.of(), List.of());
        }

        boolean isEmpty() {
            return any.isEmpty() && none.isEmpty();
        }

        boolean holds(Predicate<T> hit) {
            return (any.isEmpty() || any.stream().anyMatch(hit))
                    && none.stream().noneMatch(hit);
        }
    }

    public record ServiceAccount(String namespace, String name) {}

    /// A match without any field never matches.
    public boolean isEmpty() {
        return namespaces.isEmpty()
                && principals.isEmpty()
                && sourceIps.isEmpty()
                && destinationIps.isEmpty()
                && destinationPorts.isEmpty()
                && serviceAccounts.isEmpty();
    }

    boolean matches(ConnectionFacts facts) {
        return !isEmpty()
                && destinationPorts.holds(port -> port == facts.destination().getPort())
                && serviceAccounts.holds(account -> isAccount(facts.source(), account))
                && namespaces.holds(match -> match.matches(facts.sourceNamespace()))
                && principals.holds(match -> isPrincipal(facts.source(), match))
                && sourceIps.holds(cidr -> cidr.contains(facts.sourceIp()))
                && destinationIps.holds(cidr -> cidr.contains(ip(facts)));
    }

    private static InetAddress ip(ConnectionFacts facts) {
        return facts.destination().getAddress();
    }

    private static boolean isAccount(@Nullable SpiffeId source, ServiceAccount account) {
        return source != null
                && source.namespace().equals(account.namespace)
                && source.serviceAccount().equals(account.name);
    }

    /// Without an identity nothing matches, so that `none: [presence]` holds for plaintext.
    private static boolean isPrincipal(@Nullable SpiffeId source, StringMatch match) {
        return source != null && match.matches(source.principal());
    }
}
