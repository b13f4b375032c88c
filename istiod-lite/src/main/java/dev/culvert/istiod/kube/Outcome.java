package dev.culvert.istiod.kube;

import dev.culvert.istiod.ambient.Revisions;
import dev.culvert.istiod.ambient.TranslationSettings;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import java.util.List;

/// What there is, and what was found wrong with it: what all that is written to the cluster follows from.
///
/// @param revisions says what of it is ours to write
public record Outcome(ObjectSet objects, List<Problem> problems, Revisions revisions) {
    public static final Outcome NOTHING = of(ObjectSet.EMPTY, List.of(), TranslationSettings.defaults());

    public Outcome {
        problems = List.copyOf(problems);
    }

    public static Outcome of(ObjectSet objects, List<Problem> problems, TranslationSettings settings) {
        return new Outcome(objects, problems, Revisions.of(objects, settings));
    }
}
