package dev.culvert.kube.client;

import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.read.ApiReader;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// List and watch of one kind in one version. A list is taken over as a whole, so nobody sees a half of it. The
/// handler's methods are called one after the other by the informer.
final class KindWatch implements ResourceEventHandler<GenericKubernetesResource>, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(KindWatch.class);

    private final ApiResource resource;
    private final String version;
    private final Known known;
    private final Runnable changed;
    private final SharedIndexInformer<GenericKubernetesResource> informer;
    private final Map<ObjectKey, Optional<ApiReader.Result>> listing = new LinkedHashMap<>();
    private boolean isListing;
    private volatile boolean listed;
    private volatile boolean closed;
    private volatile String failure = "";

    /// @param informer not started yet
    /// @param changed told when `known` is different now, or the first list is there
    KindWatch(
            ApiResource resource,
            String version,
            Known known,
            Runnable changed,
            SharedIndexInformer<GenericKubernetesResource> informer) {
        this.resource = resource;
        this.version = version;
        this.known = known;
        this.changed = changed;
        this.informer = informer;
    }

    void start() {
        informer.itemStore(new VersionStore());
        informer.exceptionHandler((_, failed) -> retries(failed));
        informer.addEventHandler(this);
        informer.start();
    }

    private boolean retries(Throwable failed) {
        var now = Failures.text(failed);
        if (!closed && !now.equals(failure)) {
            log.warn("{} cannot be watched: {}; tried again, what was read stays in force", resource.plural(), now);
        }
        failure = now;
        return !closed;
    }

    ApiResource resource() {
        return resource;
    }

    String version() {
        return version;
    }

    /// Whether there was a whole list once.
    boolean isListed() {
        return listed;
    }

    boolean isWatching() {
        return listed && informer.isWatching();
    }

    @Override
    public void onBeforeList(String lastSyncResourceVersion) {
        isListing = true;
    }

    @Override
    public void onList(String resourceVersion, boolean remainedEmpty) {
        var different = listed ? known.change(listing) : known.replace(resource.kind(), listing);
        listing.clear();
        isListing = false;
        if (!failure.isEmpty()) {
            log.info("{} are watched again", resource.plural());
            failure = "";
        }
        if (different || !listed) {
            listed = true;
            changed.run();
        }
    }

    @Override
    public void onAdd(GenericKubernetesResource object) {
        take(object, true);
    }

    @Override
    public void onUpdate(GenericKubernetesResource before, GenericKubernetesResource object) {
        take(object, true);
    }

    @Override
    public void onDelete(GenericKubernetesResource object, boolean deletedFinalStateUnknown) {
        take(object, false);
    }

    private void take(GenericKubernetesResource object, boolean there) {
        var key = Reading.key(resource.kind(), object);
        var read = there ? Reading.read(resource.kind(), object) : Optional.<ApiReader.Result>empty();
        if (isListing) {
            listing.put(key, read);
        } else if (known.change(Map.of(key, read))) {
            changed.run();
        }
    }

    /// Stops; what was read stays known.
    @Override
    public void close() {
        closed = true;
        informer.stop();
    }
}
