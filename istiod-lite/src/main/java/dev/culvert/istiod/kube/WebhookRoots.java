package dev.culvert.istiod.kube;

import dev.culvert.istiod.ambient.Revisions;
import dev.culvert.istiod.ca.CertificateSigner;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// Tells the API server which roots our webhook's certificate leads to, in the configuration that the chart installed.
/// Without a configuration there is nothing to do.
public final class WebhookRoots implements Leader.Writer<Outcome>, AutoCloseable {
    private final KubernetesClient client;
    private final CertificateSigner signer;
    private final String name;
    private final Present<ValidatingWebhookConfiguration> present;

    /// @param namespace the system namespace; the configuration is called `culvert-NAMESPACE-validator`,
    /// or `culvert-REVISION-NAMESPACE-validator`
    /// @param changed told when it is different, or gone
    public WebhookRoots(
            KubernetesClient client, CertificateSigner signer, String namespace, String revision, Runnable changed) {
        this.client = client;
        this.signer = signer;
        this.name = "culvert-" + (revision.equals(Revisions.DEFAULT) ? "" : revision + "-") + namespace + "-validator";
        this.present = new Present<>(
                "ValidatingWebhookConfiguration " + name,
                client.admissionRegistration()
                        .v1()
                        .validatingWebhookConfigurations()
                        .withField("metadata.name", name),
                changed);
    }

    public void start() {
        present.start();
    }

    @Override
    public void write(Outcome now) {
        present.requireListed();
        var roots = Base64.getEncoder().encodeToString(signer.roots().getBytes(StandardCharsets.US_ASCII));
        present.all().stream().filter(found -> !trusts(found, roots)).forEach(found -> apply(found, roots));
    }

    private static boolean trusts(ValidatingWebhookConfiguration found, String roots) {
        return found.getWebhooks().stream()
                .allMatch(webhook -> roots.equals(webhook.getClientConfig().getCaBundle()));
    }

    private void apply(ValidatingWebhookConfiguration found, String roots) {
        var wanted = new ValidatingWebhookConfigurationBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata();
        for (var webhook : found.getWebhooks()) {
            wanted.addNewWebhook()
                    .withName(webhook.getName())
                    .withNewClientConfig()
                    .withCaBundle(roots)
                    .endClientConfig()
                    .endWebhook();
        }
        Apply.object(client, wanted.build());
    }

    @Override
    public void close() {
        present.close();
    }
}
