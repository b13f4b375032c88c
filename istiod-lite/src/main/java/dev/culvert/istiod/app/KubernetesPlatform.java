package dev.culvert.istiod.app;

import dev.culvert.istiod.ambient.Revisions;
import dev.culvert.istiod.ca.CertificateAuthority;
import dev.culvert.istiod.ca.CertificateService;
import dev.culvert.istiod.ca.CertificateSigner;
import dev.culvert.istiod.ca.FolderSigner;
import dev.culvert.istiod.ca.SigningChain;
import dev.culvert.istiod.ca.TokenVerifier;
import dev.culvert.istiod.gateway.WaypointDeployments;
import dev.culvert.istiod.gateway.WaypointManifests;
import dev.culvert.istiod.kube.AuthoritySecrets;
import dev.culvert.istiod.kube.EntryAddresses;
import dev.culvert.istiod.kube.Leader;
import dev.culvert.istiod.kube.Outcome;
import dev.culvert.istiod.kube.RootConfigMaps;
import dev.culvert.istiod.kube.RootRenewal;
import dev.culvert.istiod.kube.TokenReviews;
import dev.culvert.istiod.kube.WebhookRoots;
import dev.culvert.istiod.status.Statuses;
import dev.culvert.kube.client.ClusterSource;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// A cluster: its API server tells of the mesh, checks tokens, keeps the authority's key, and says which replica
// writes.
final class KubernetesPlatform implements Platform {
    private final KubernetesClient client;
    private final IstiodSettings settings;
    private final AuthoritySecrets secrets;
    private final CertificateSigner signer;
    private Optional<FolderSigner.Watch> rootsWatch = Optional.empty();
    private final TokenReviews tokens;
    private final RootConfigMaps roots;
    private final WebhookRoots webhooks;
    private final WaypointDeployments waypoints;
    private final Leader<Outcome> leader;
    private volatile Optional<ClusterSource> source = Optional.empty();
    private volatile ObjectSet objects = ObjectSet.EMPTY;
    private volatile Outcome outcome = Outcome.NOTHING;

    /// @throws IOException if the API server cannot be asked for the authority
    KubernetesPlatform(KubernetesClient client, IstiodSettings settings) throws IOException, GeneralSecurityException {
        this.client = client;
        this.settings = settings;
        var clock = Clock.systemUTC();
        secrets = new AuthoritySecrets(client, settings.namespace(), clock);
        signer = settings.signerDir().isPresent()
                ? FolderSigner.open(settings.signerDir().get(), clock)
                : new CertificateAuthority(clock, load(secrets));
        tokens = new TokenReviews(review -> client.tokenReviews().create(review), settings.tokenAudiences());
        roots = new RootConfigMaps(client, signer, this::wakeLeader);
        webhooks = new WebhookRoots(client, signer, settings.namespace(), settings.revision(), this::wakeLeader);
        waypoints = new WaypointDeployments(
                client, manifests(settings), settings.namespace(), this::hasGateways, this::wakeLeader);
        var statuses = new Statuses(client, settings.translation(), waypoints, clock);
        leader = new Leader<>(
                client,
                new Leader.Candidate(settings.namespace(), settings.revision(), settings.podName()),
                () -> outcome,
                writers(List.of(roots, webhooks, waypoints, statuses, new EntryAddresses(client))));
    }

    private List<Leader.Writer<Outcome>> writers(List<Leader.Writer<Outcome>> ofAll) {
        var all = new ArrayList<Leader.Writer<Outcome>>();
        if (signer instanceof CertificateAuthority own) {
            all.add(new RootRenewal(secrets, own));
        }
        all.addAll(ofAll);
        return all;
    }

    private static WaypointManifests.Settings manifests(IstiodSettings settings) {
        return new WaypointManifests.Settings(
                settings.waypointImage(),
                "https://" + settings.service() + "." + settings.namespace() + ".svc:15012",
                settings.clusterId(),
                settings.trustDomain(),
                settings.clusterDomain(),
                settings.network(),
                settings.waypointAccessLog());
    }

    private boolean hasGateways() {
        return source.filter(known -> !known.off().contains(Kind.GATEWAY_CLASS)).isPresent();
    }

    private static SigningChain load(AuthoritySecrets secrets) throws IOException, GeneralSecurityException {
        try {
            return secrets.load();
        } catch (KubernetesClientException failed) {
            throw new IOException("the authority cannot be read from the API server: " + failed.getMessage(), failed);
        }
    }

    @Override
    public CertificateSigner signer() {
        return signer;
    }

    @Override
    public TokenVerifier tokens() {
        return tokens;
    }

    @Override
    public CertificateService.Pods pods() {
        return new MeshPods(() -> objects);
    }

    @Override
    public List<String> names() {
        var names = new ArrayList<String>();
        for (var service : new LinkedHashSet<>(List.of("istiod", settings.service()))) {
            var inNamespace = service + "." + settings.namespace();
            names.addAll(List.of(
                    service, inNamespace, inNamespace + ".svc", inNamespace + ".svc." + settings.clusterDomain()));
        }
        settings.customHost().forEach(names::add);
        names.add("localhost");
        return names;
    }

    @Override
    public List<InetAddress> addresses() {
        return List.of(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral("::1"));
    }

    @Override
    public void start(Consumer<ObjectSet> listener, Renewal newAuthority) {
        switch (signer) {
            case CertificateAuthority own ->
                secrets.watch(own, chain -> {
                    own.replace(chain);
                    newAuthority.renew();
                    wakeLeader();
                });
            case FolderSigner other ->
                rootsWatch = Optional.of(other.watch(() -> {
                    newAuthority.renew();
                    wakeLeader();
                }));
        }
        source = Optional.of(
                ClusterSource.open(client, ClusterSource.Options.mesh().withTlsSecrets(), now -> {
                    objects = now;
                    listener.accept(now);
                }));
        roots.start();
        webhooks.start();
        waypoints.start();
    }

    /// The first time everything is known: only then there is something to write.
    @Override
    public void told(ObjectSet now, List<Problem> problems) {
        outcome = new Outcome(now, problems, Revisions.of(objects, settings.translation()));
        leader.startOnce();
        leader.wake();
    }

    private void wakeLeader() {
        leader.wake();
    }

    @Override
    public Duration staleFor() {
        return source.map(ClusterSource::staleFor).orElse(Duration.ZERO);
    }

    @Override
    public void close() {
        leader.close();
        rootsWatch.ifPresent(FolderSigner.Watch::close);
        source.ifPresent(ClusterSource::close);
        roots.close();
        webhooks.close();
        waypoints.close();
        secrets.close();
        client.close();
    }
}
