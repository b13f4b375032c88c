package dev.culvert.istiod.kube;

import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import java.util.List;

/// What there is, and what was found wrong with it: what all that is written to the cluster follows from.
public record Outcome(ObjectSet objects, List<Problem> problems) {
    public static final Outcome NOTHING = new Outcome(ObjectSet.EMPTY, List.of());

    public Outcome {
        problems = List.copyOf(problems);
    }
}
