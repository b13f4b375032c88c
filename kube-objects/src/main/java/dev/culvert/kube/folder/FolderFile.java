package dev.culvert.kube.folder;

import dev.culvert.kube.object.Gap;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.object.Problem.Severity;
import dev.culvert.kube.read.YamlReader;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What one file says, and of what it got wrong what it said before: a typing mistake in a policy must not open
/// what the policy of a moment ago kept shut.
record FolderFile(Said said, List<Problem> problems, List<Gap> gaps) {
    FolderFile {
        problems = List.copyOf(problems);
        gaps = List.copyOf(gaps);
    }

    /// A file before its first reading.
    ///
    /// @param said as a former process read it
    static FolderFile before(Path file, Said said) {
        return new FolderFile(said, List.of(), gaps(said, List.of(), new Place(file, 1)));
    }

    /// The same file after a change.
    ///
    /// @param at when it was read
    FolderFile becomes(YamlReader.Result now, Path file, Instant at) {
        var objects = new HashMap<ObjectKey, KubeObject>();
        var problems = new ArrayList<>(now.problems());
        for (var object : now.objects()) {
            var first = objects.putIfAbsent(object.key(), object);
            if (first != null) {
                problems.add(Folders.duplicate(object, first));
            }
        }
        var unread = new HashSet<>(now.broken());
        if (now.unclear()) {
            unread.addAll(said.objects().keySet());
            unread.addAll(said.missing());
        }
        unread.removeAll(objects.keySet());
        var sources = new HashMap<>(now.sources());
        var kept = new HashSet<ObjectKey>();
        said.objects().forEach((key, object) -> {
            if (unread.remove(key)) {
                kept.add(key);
                objects.put(key, object);
                sources.put(key, said.sources().get(key));
            }
        });
        var whole = now.broken().isEmpty() && !now.unclear();
        var wholeAt = whole ? Optional.of(at) : said.wholeAt();
        var place = firstError(now.problems()).orElse(new Place(file, 1));
        if (!kept.isEmpty()) {
            problems.add(note(place, kept, at));
        }
        var next = new Said(objects, sources, unread, now.unclear() && said.unclear(), wholeAt);
        return new FolderFile(next, problems, gaps(next, now.problems(), place));
    }

    private Problem note(Place place, Set<ObjectKey> kept, Instant at) {
        var what = kept.size() == 1 ? kept.iterator().next() + " stands" : kept.size() + " objects stand";
        var when = said.wholeAt()
                .map(whole -> "last without a mistake at " + whole.truncatedTo(ChronoUnit.SECONDS) + ", "
                        + age(Duration.between(whole, at)) + " before")
                .orElse("never without a mistake");
        return Problem.warning(place, "", what + " as read earlier; the file was " + when, "mend the file");
    }

    private static String age(Duration age) {
        if (age.toDays() > 0) {
            return age.toDays() + " d";
        }
        if (age.toHours() > 0) {
            return age.toHours() + " h";
        }
        return age.toMinutes() > 0 ? age.toMinutes() + " min" : Math.max(0, age.toSeconds()) + " s";
    }

    private static List<Gap> gaps(Said said, List<Problem> problems, Place otherwise) {
        var gaps = new ArrayList<Gap>();
        for (var key : said.missing()) {
            var own = problems.stream()
                    .filter(problem -> problem.object().equals(key.toString()))
                    .toList();
            gaps.add(new Gap(firstError(own).orElse(otherwise), Optional.of(key)));
        }
        if (said.unclear()) {
            gaps.add(new Gap(otherwise, Optional.empty()));
        }
        return gaps;
    }

    private static Optional<Place> firstError(List<Problem> problems) {
        return problems.stream()
                .filter(problem -> problem.severity() == Severity.ERROR)
                .map(Problem::place)
                .min(Place::compareTo);
    }
}
