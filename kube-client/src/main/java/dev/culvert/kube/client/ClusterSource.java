package dev.culvert.kube.client;

import dev.culvert.kube.object.AuthorityMap;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.RevisionTag;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Watches the objects of a cluster. Every change leads to a new whole for the listener, from the first moment on at
/// which every kind that the cluster serves was listed. While the API server is away what was read stays. The
/// listener runs on the source's one virtual thread.
public final class ClusterSource implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ClusterSource.class);
    private static final Duration QUIET = Duration.ofMillis(10);
    private static final Duration LONGEST = Duration.ofMillis(25);
    private static final Duration RECHECK = Duration.ofSeconds(1);
    /// A watch that begins anew is not stale.
    private static final Duration GRACE = Duration.ofSeconds(5);

    private static final long PAGE = 500;
    private static final String SLICES_BY = "endpointslice.kubernetes.io/managed-by";
    private static final String OF_SELECTORS = "endpointslice-controller.k8s.io";

    /// Types that never hold a certificate for a gateway. Of the others we keep only those that do.
    private static final List<String> OTHER_SECRETS = List.of(
            "kubernetes.io/service-account-token",
            "kubernetes.io/dockercfg",
            "kubernetes.io/dockerconfigjson",
            "kubernetes.io/basic-auth",
            "kubernetes.io/ssh-auth",
            "bootstrap.kubernetes.io/token",
            "helm.sh/release.v1");

    private final KubernetesClient client;
    private final Options options;
    private final Consumer<ObjectSet> listener;
    private final Known known = new Known();
    private final Map<Kind, KindWatch> watches = new ConcurrentHashMap<>();
    private final Optional<Definitions> definitions;
    private final Semaphore changes = new Semaphore(0);
    private final Thread thread = Thread.ofVirtual().name("cluster-source").unstarted(this::run);
    private boolean isStale;
    private volatile boolean synced;
    private volatile long freshNanos = System.nanoTime();
    private volatile ObjectSet current = ObjectSet.EMPTY;

    /// What to read.
    ///
    /// @param kinds those of the cluster that are of interest
    /// @param node only pods of this node; empty for all
    /// @param namespace only objects of this namespace, where they have one; empty for all
    public record Options(Set<Kind> kinds, String node, String namespace) {
        public Options {
            kinds = Collections.unmodifiableSet(EnumSet.copyOf(kinds));
        }

        /// Every kind that says something about the mesh, without Secrets and ConfigMaps.
        public static Options mesh() {
            return of(EnumSet.complementOf(
                    EnumSet.of(Kind.DEPLOYMENT, Kind.SERVICE_ACCOUNT, Kind.SECRET, Kind.CONFIG_MAP)));
        }

        /// With the Secrets and ConfigMaps that hold certificates, too.
        public Options withTlsSecrets() {
            var more = EnumSet.copyOf(kinds);
            more.add(Kind.SECRET);
            more.add(Kind.CONFIG_MAP);
            return new Options(more, node, namespace);
        }

        public static Options of(Set<Kind> kinds) {
            return new Options(kinds, "", "");
        }

        public Options onNode(String name) {
            return new Options(kinds, name, namespace);
        }

        public Options inNamespace(String name) {
            return new Options(kinds, node, name);
        }
    }

    private ClusterSource(KubernetesClient client, Options options, Consumer<ObjectSet> listener) {
        this.client = client;
        this.options = options;
        this.listener = listener;
        var custom = options.kinds().stream()
                .map(ApiResource::of)
                .filter(ApiResource::isCustom)
                .toList();
        this.definitions =
                custom.isEmpty() ? Optional.empty() : Optional.of(new Definitions(client, custom, new ServedKinds()));
    }

    /// Begins to read, and returns at once. An API server that cannot be reached is tried again for ever.
    ///
    /// @param client is not closed by this source
    public static ClusterSource open(KubernetesClient client, Options options, Consumer<ObjectSet> listener) {
        var source = new ClusterSource(client, options, listener);
        source.thread.start();
        for (var kind : options.kinds()) {
            var resource = ApiResource.of(kind);
            if (!resource.isCustom()) {
                source.watch(resource, resource.versions().getFirst());
            }
        }
        source.definitions.ifPresent(Definitions::start);
        return source;
    }

    /// What the listener was told last; empty before [#synced]. Safe for any thread.
    public ObjectSet current() {
        return current;
    }

    /// Whether everything has been read once. Safe for any thread.
    public boolean synced() {
        return synced;
    }

    /// For how long something has not been watched; zero while all is. Safe for any thread.
    public Duration staleFor() {
        var age = Duration.ofNanos(System.nanoTime() - freshNanos);
        return age.compareTo(GRACE) < 0 ? Duration.ZERO : age;
    }

    /// Kinds of interest that the cluster does not serve, in no version that we can read. Safe for any thread.
    public Set<Kind> off() {
        var off = EnumSet.noneOf(Kind.class);
        options.kinds().stream().filter(kind -> !watches.containsKey(kind)).forEach(off::add);
        return off;
    }

    private final class ServedKinds implements Definitions.Listener {
        @Override
        public void served(ApiResource resource, Optional<String> version) {
            var running = Optional.ofNullable(watches.get(resource.kind()));
            if (running.map(KindWatch::version).equals(version)) {
                return;
            }
            running.ifPresent(KindWatch::close);
            if (version.isPresent()) {
                watch(resource, version.get());
            } else {
                watches.remove(resource.kind());
                log.warn("{} is off: the cluster no longer serves it", resource.definition());
                if (known.replace(resource.kind(), Map.of())) {
                    changes.release();
                }
            }
        }

        @Override
        public void listed() {
            for (var kind : off()) {
                log.info(
                        "{} is off: the cluster does not serve it; it is watched as soon as it does",
                        ApiResource.of(kind).definition());
            }
            changes.release();
        }
    }

    private void watch(ApiResource resource, String version) {
        var watch = new KindWatch(resource, version, known, changes::release, informer(resource, version));
        watches.put(resource.kind(), watch);
        if (synced) {
            log.info("{} is served now, in version {}", resource.definition(), version);
        }
        watch.start();
    }

    private SharedIndexInformer<GenericKubernetesResource> informer(ApiResource resource, String version) {
        var all = client.genericKubernetesResources(resource.context(version));
        FilterWatchListDeletable<
                        GenericKubernetesResource, GenericKubernetesResourceList, Resource<GenericKubernetesResource>>
                wanted = resource.kind().namespaced() && !options.namespace().isEmpty()
                        ? all.inNamespace(options.namespace())
                        : all.inAnyNamespace();
        if (resource.kind() == Kind.POD && !options.node().isEmpty()) {
            wanted = wanted.withField("spec.nodeName", options.node());
        }
        if (resource.kind() == Kind.SECRET) {
            for (var type : OTHER_SECRETS) {
                wanted = wanted.withoutField("type", type);
            }
        }
        if (resource.kind() == Kind.CONFIG_MAP) {
            wanted = wanted.withoutField("metadata.name", AuthorityMap.OF_CLUSTER);
        }
        if (resource.kind() == Kind.MUTATING_WEBHOOK) {
            wanted = wanted.withLabel(RevisionTag.TAG);
        }
        if (resource.kind() == Kind.ENDPOINT_SLICE) {
            // What the cluster makes of selectors we make ourselves.
            wanted = wanted.withLabelNotIn(SLICES_BY, OF_SELECTORS);
        }
        return wanted.withLimit(PAGE).runnableInformer(0);
    }

    private void run() {
        try {
            while (true) {
                if (changes.tryAcquire(RECHECK.toMillis(), TimeUnit.MILLISECONDS)) {
                    awaitQuiet();
                    if (synced || isComplete()) {
                        tell();
                    }
                }
                checkFreshness();
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private void checkFreshness() {
        var unwatched = watches.values().stream()
                .filter(watch -> !watch.isWatching())
                .map(watch -> watch.resource().plural())
                .sorted()
                .toList();
        if (unwatched.isEmpty()) {
            if (isStale) {
                log.info("everything is watched again, after {} s", staleFor().toSeconds());
            }
            isStale = false;
            freshNanos = System.nanoTime();
        } else if (!isStale && !staleFor().isZero()) {
            isStale = true;
            log.warn("the API server does not tell of changes of {}: what was read stays in force", unwatched);
        }
    }

    private void awaitQuiet() throws InterruptedException {
        var end = System.nanoTime() + LONGEST.toNanos();
        while (System.nanoTime() < end && changes.tryAcquire(QUIET.toMillis(), TimeUnit.MILLISECONDS)) {
            changes.drainPermits();
        }
    }

    private boolean isComplete() {
        return definitions.map(Definitions::isListed).orElse(true)
                && watches.values().stream().allMatch(KindWatch::isListed);
    }

    private void tell() {
        current = known.snapshot();
        synced = true;
        try {
            listener.accept(current);
        } catch (RuntimeException bug) {
            log.error("a change of the cluster was not taken over: a mistake of ours", bug);
        }
    }

    /// Stops watching; no call of the listener begins after this returns.
    @Override
    public void close() {
        definitions.ifPresent(Definitions::close);
        watches.values().forEach(KindWatch::close);
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
