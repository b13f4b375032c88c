package dev.culvert.istiod.admission;

import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/// Looks at an object next to the others, one object at a time, for as long as the mesh is small enough for that: it
/// takes at most half of a core, for after each look it rests as long as that took. Whoever would wait for longer than
// a second goes without. Thread-safe.
public final class BoundedNeighbours implements AdmissionPage.Neighbours {
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    /// A look takes some 50 ms then.
    private static final int MAX_OBJECTS = 5_000;

    private final Supplier<ObjectSet> all;
    private final BiFunction<ObjectSet, KubeObject, List<Problem>> analysis;
    private final Semaphore turn = new Semaphore(1);
    private long restUntil = System.nanoTime();

    /// @param analysis of an object laid over the others: all problems that there are then
    public BoundedNeighbours(Supplier<ObjectSet> all, BiFunction<ObjectSet, KubeObject, List<Problem>> analysis) {
        this.all = all;
        this.analysis = analysis;
    }

    @Override
    public List<Problem> problems(KubeObject object) {
        var known = all.get();
        if (known.objects().size() > MAX_OBJECTS) {
            return List.of();
        }
        try {
            if (!turn.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                return List.of();
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return List.of();
        }
        try {
            return look(known, object);
        } finally {
            turn.release();
        }
    }

    private List<Problem> look(ObjectSet known, KubeObject object) {
        var rest = restUntil - System.nanoTime();
        if (rest > 0) {
            LockSupport.parkNanos(rest);
        }
        var start = System.nanoTime();
        var name = object.key().toString();
        var found = analysis.apply(known, object).stream()
                .filter(problem -> problem.object().equals(name))
                .toList();
        var end = System.nanoTime();
        restUntil = end + (end - start);
        return found;
    }
}
