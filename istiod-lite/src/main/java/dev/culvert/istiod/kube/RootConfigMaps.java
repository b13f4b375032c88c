package dev.culvert.istiod.kube;

import dev.culvert.istiod.ca.CertificateSigner;
import dev.culvert.kube.object.Namespace;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.ArrayList;
import java.util.Map;
import java.util.Set;

/// Keeps the ConfigMap `istio-ca-root-cert` with our roots in every namespace: proxies mount it to trust us.
public final class RootConfigMaps implements Leader.Writer<Outcome>, AutoCloseable {
    public static final String NAME = "istio-ca-root-cert";
    private static final String KEY = "root-cert.pem";
    /// As Istio's list.
    private static final Set<String> WITHOUT = Set.of("kube-public", "kube-node-lease", "local-path-storage");

    private final KubernetesClient client;
    private final CertificateSigner signer;
    private final Present<ConfigMap> present;

    /// @param changed told when one of them is different, or gone
    public RootConfigMaps(KubernetesClient client, CertificateSigner signer, Runnable changed) {
        this.client = client;
        this.signer = signer;
        this.present = new Present<>(
                "ConfigMaps " + NAME, client.configMaps().inAnyNamespace().withField("metadata.name", NAME), changed);
    }

    public void start() {
        present.start();
    }

    @Override
    public void write(Outcome now) {
        present.requireListed();
        var roots = signer.roots();
        var failed = new ArrayList<String>();
        for (var namespace : now.objects().namespaces()) {
            if (wants(namespace) && !isThere(namespace.name(), roots)) {
                try {
                    apply(namespace.name(), roots);
                } catch (RuntimeException refused) {
                    failed.add(namespace.name() + ": " + refused.getMessage());
                }
            }
        }
        if (!failed.isEmpty()) {
            throw new IllegalStateException(String.join("; ", failed));
        }
    }

    private static boolean wants(Namespace namespace) {
        return !WITHOUT.contains(namespace.name()) && !namespace.metadata().deleted();
    }

    private boolean isThere(String namespace, String roots) {
        return present.find(namespace, NAME)
                .map(ConfigMap::getData)
                .filter(data -> roots.equals(data.get(KEY)))
                .isPresent();
    }

    private void apply(String namespace, String roots) {
        var wanted = new ConfigMapBuilder()
                .withNewMetadata()
                .withName(NAME)
                .withNamespace(namespace)
                .withLabels(Map.of("istio.io/config", "true"))
                .endMetadata()
                .withData(Map.of(KEY, roots))
                .build();
        Apply.object(client, wanted);
    }

    @Override
    public void close() {
        present.close();
    }
}
