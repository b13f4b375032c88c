package dev.culvert.istiod.kube;

import dev.culvert.istiod.ca.CertificateAuthority;
import dev.culvert.istiod.ca.SigningChain;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The authority in the system namespace's Secrets: `cacerts`, which an administrator puts there, else
/// `istio-ca-secret`, which whoever needs it first creates. The API server takes one creation only, so all replicas
/// sign with the same key.
public final class AuthoritySecrets implements AutoCloseable {
    public static final String PLUGGED_IN = "cacerts";
    public static final String SELF_SIGNED = "istio-ca-secret";
    private static final Logger LOG = LoggerFactory.getLogger("ca");
    private static final String CERTIFICATE = "ca-cert.pem";
    private static final String KEY = "ca-key.pem";
    private static final String CHAIN = "cert-chain.pem";
    private static final String ROOTS = "root-cert.pem";
    private static final int TRIES = 5;

    private final KubernetesClient client;
    private final String namespace;
    private final Clock clock;
    private final List<SharedIndexInformer<Secret>> watches = new ArrayList<>();

    public AuthoritySecrets(KubernetesClient client, String namespace, Clock clock) {
        this.client = client;
        this.namespace = namespace;
        this.clock = clock;
    }

    /// What to sign with.
    /// @throws GeneralSecurityException if a Secret is there and wrong: it is never replaced
    public SigningChain load() throws IOException, GeneralSecurityException {
        for (var attempt = 0; attempt < TRIES; attempt++) {
            var found = Optional.ofNullable(get(PLUGGED_IN)).or(() -> Optional.ofNullable(get(SELF_SIGNED)));
            if (found.isPresent()) {
                return parse(found.get());
            }
            create();
        }
        throw new IOException("the Secret " + SELF_SIGNED + " in " + namespace + " comes and goes: who deletes it?");
    }

    private @Nullable Secret get(String name) {
        return client.secrets().inNamespace(namespace).withName(name).get();
    }

    private void create() throws IOException, GeneralSecurityException {
        var fresh = CertificateAuthority.create(clock);
        var secret = new SecretBuilder()
                .withNewMetadata()
                .withName(SELF_SIGNED)
                .withNamespace(namespace)
                .endMetadata()
                .withType("istio.io/ca-root")
                .withStringData(Map.of(
                        CERTIFICATE, CertificateAuthority.pem(fresh.certificate()),
                        KEY, CertificateAuthority.pem(fresh.key()),
                        CHAIN, "",
                        ROOTS, CertificateAuthority.pem(fresh.roots())))
                .build();
        try {
            client.secrets().resource(secret).create();
            LOG.info("a new authority was made, in the Secret {} of {}", SELF_SIGNED, namespace);
        } catch (KubernetesClientException refused) {
            if (refused.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                throw refused;
            }
        }
    }

    SigningChain parse(Secret secret) throws GeneralSecurityException {
        var name = secret.getMetadata().getName();
        try {
            var data = Optional.ofNullable(secret.getData()).orElse(Map.of());
            var typed = data.containsKey("tls.crt");
            var certificate = text(data, typed ? "tls.crt" : CERTIFICATE);
            var chain = typed ? certificate : data.containsKey(CHAIN) ? text(data, CHAIN) : "";
            var roots = typed ? text(data, "ca.crt") : data.containsKey(ROOTS) ? text(data, ROOTS) : "";
            if (roots.isBlank() && name.equals(SELF_SIGNED)) {
                roots = certificate; // as Istio writes it
            }
            return SigningChain.parse(certificate, text(data, typed ? "tls.key" : KEY), chain, roots, clock.instant());
        } catch (GeneralSecurityException | IllegalArgumentException wrong) {
            throw new GeneralSecurityException("Secret " + namespace + "/" + name + ": " + wrong.getMessage(), wrong);
        }
    }

    private static String text(Map<String, String> data, String key) throws GeneralSecurityException {
        var value = data.get(key);
        if (value == null) {
            throw new GeneralSecurityException(key + " is missing");
        }
        return new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8);
    }

    /// Writes a renewed root into our own Secret, if the authority signs with that one; the watch takes it over
    /// in all replicas.
    /// @throws KubernetesClientException if it could not be written, or somebody else changed it meanwhile
    void renew(CertificateAuthority authority) throws IOException, GeneralSecurityException {
        var next = authority.renewal();
        var own = next.isEmpty() || get(PLUGGED_IN) != null ? null : get(SELF_SIGNED);
        if (own == null || !parse(own).equals(authority.chain())) {
            return;
        }
        var pem = CertificateAuthority.pem(next.get().certificate());
        client.secrets()
                .resource(new SecretBuilder(own)
                        .addToData(CERTIFICATE, encoded(pem))
                        .addToData(ROOTS, encoded(pem))
                        .build())
                .update();
        LOG.info("the root was in the last fifth of its life and is issued anew: {}", next.get());
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Told of another chain than the one in use; refuses it by throwing.
    public interface Listener {
        void changed(SigningChain chain) throws IOException, GeneralSecurityException;
    }

    /// Watches both Secrets from now on. What is wrong or gone changes nothing, and is logged.
    public void watch(CertificateAuthority authority, Listener listener) {
        var handler = new ResourceEventHandler<Secret>() {
            @Override
            public void onAdd(Secret secret) {
                reload(authority, listener);
            }

            @Override
            public void onUpdate(Secret before, Secret secret) {
                reload(authority, listener);
            }

            @Override
            public void onDelete(Secret secret, boolean unknown) {
                LOG.error(
                        "the Secret {} of {} was deleted: certificates are signed with it on, until the next start; put"
                                + " it back",
                        secret.getMetadata().getName(),
                        namespace);
            }
        };
        for (var name : List.of(PLUGGED_IN, SELF_SIGNED)) {
            var informer =
                    client.secrets().inNamespace(namespace).withName(name).runnableInformer(0);
            informer.exceptionHandler((_, _) -> true);
            informer.addEventHandler(handler);
            informer.start();
            watches.add(informer);
        }
    }

    private void reload(CertificateAuthority authority, Listener listener) {
        try {
            var found = Optional.ofNullable(get(PLUGGED_IN)).or(() -> Optional.ofNullable(get(SELF_SIGNED)));
            if (found.isPresent()) {
                var next = parse(found.get());
                if (!next.equals(authority.chain())) {
                    listener.changed(next);
                    LOG.info(
                            "certificates are signed by the Secret {} now: {}",
                            found.get().getMetadata().getName(),
                            next);
                }
            }
        } catch (IOException | GeneralSecurityException | KubernetesClientException wrong) {
            LOG.error("the authority stays as it was: {}", wrong.getMessage());
        }
    }

    @Override
    public void close() {
        watches.forEach(SharedIndexInformer::stop);
    }
}
