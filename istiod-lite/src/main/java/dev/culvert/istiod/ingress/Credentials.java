package dev.culvert.istiod.ingress;

import dev.culvert.istiod.ca.PemText;
import dev.culvert.kube.object.IstioGateway;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.TlsSecret;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a server of Istio's Gateway shows and whom it trusts, from Secrets of its pods' namespace.
/// @param keys those that could be had
/// @param authorities of clients' certificates; empty where nobody is asked, or where they cannot be had
/// @param wrong what to mend; empty if nothing is
public record Credentials(List<ServerKey> keys, List<X509Certificate> authorities, List<String> wrong) {
    private static final int MAX_AUTHORITIES = 100;
    /// Of the Secret with the authorities, behind the name of the other.
    private static final String SUFFIX = "-cacert";

    public Credentials {
        keys = List.copyOf(keys);
        authorities = List.copyOf(authorities);
        wrong = List.copyOf(wrong);
    }

    /// @param namespace of the gateway's pods
    public static Credentials of(IstioGateway.Tls tls, String namespace, ObjectSet objects) {
        var keys = new ArrayList<ServerKey>();
        var wrong = new ArrayList<String>();
        for (var name : tls.credentials()) {
            var secret = objects.find(TlsSecret.class, Kind.SECRET, namespace, name);
            if (secret.isEmpty()) {
                wrong.add("there is no Secret " + namespace + "/" + name
                        + " with a certificate and a key: it must be in the namespace of the gateway's pods");
                continue;
            }
            try {
                keys.add(ServerKey.of(secret.get()));
            } catch (GeneralSecurityException bad) {
                wrong.add("Secret " + namespace + "/" + name + ": " + bad.getMessage());
            }
        }
        return new Credentials(
                keys, tls.mode().asksClients() ? authorities(tls, namespace, objects, wrong) : List.of(), wrong);
    }

    private static List<X509Certificate> authorities(
            IstioGateway.Tls tls, String namespace, ObjectSet objects, List<String> wrong) {
        var first = tls.credentials().getFirst();
        var names = tls.authorities().map(List::of).orElseGet(() -> List.of(first + SUFFIX, first));
        var secret = names.stream()
                .flatMap(name -> objects.find(TlsSecret.class, Kind.SECRET, namespace, name).stream())
                .filter(one -> !one.authorities().isEmpty())
                .findFirst();
        if (secret.isEmpty()) {
            wrong.add("tls.mode " + tls.mode() + " needs ca.crt or cacert in Secret " + String.join(" or ", names)
                    + " of namespace " + namespace + ": nobody gets in");
            return List.of();
        }
        try {
            return PemText.certificates("its authorities", secret.get().authorities(), MAX_AUTHORITIES);
        } catch (GeneralSecurityException bad) {
            wrong.add("Secret " + namespace + "/" + secret.get().name() + ": " + bad.getMessage() + ": nobody gets in");
            return List.of();
        }
    }

    /// What becomes of a server that is wrong: empty if it is not.
    public Optional<String> problem() {
        return wrong.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", wrong));
    }
}
