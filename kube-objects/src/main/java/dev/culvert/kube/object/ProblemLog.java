package dev.culvert.kube.object;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;

/// Logs each problem once when it comes and once when it has gone. For one thread.
public final class ProblemLog {
    private final Logger log;
    private Set<Problem> told = Set.of();

    public ProblemLog(Logger log) {
        this.log = log;
    }

    /// @param now all that there are
    public void tell(List<Problem> now) {
        var current = new HashSet<>(now);
        now.stream().filter(problem -> !told.contains(problem)).distinct().forEach(problem -> log.warn("{}", problem));
        told.stream()
                .filter(problem -> !current.contains(problem))
                .sorted()
                .forEach(problem -> log.info("no longer a problem: {}", problem));
        told = current;
    }
}
