package dev.culvert.kube.read;

import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.yaml.snakeyaml.nodes.Node;

/// The object that is being read: its place, and what was found wrong so far. For one thread.
final class Document {
    private final Path file;
    private final int linesBefore;
    private final List<Problem> problems = new ArrayList<>();
    private String object = "";

    Document(Path file, int linesBefore) {
        this.file = file;
        this.linesBefore = linesBefore;
    }

    void named(String name) {
        object = name;
    }

    String object() {
        return object;
    }

    Place place(Node node) {
        return place(node.getStartMark().getLine());
    }

    /// @param line counted from 0, in this document
    Place place(int line) {
        return new Place(file, linesBefore + line + 1);
    }

    void error(Node at, String message, String fix) {
        problems.add(Problem.error(place(at), object, message, fix));
    }

    void warning(Node at, String message, String fix) {
        problems.add(Problem.warning(place(at), object, message, fix));
    }

    void add(Problem problem) {
        problems.add(problem);
    }

    boolean hasErrors() {
        return problems.stream().anyMatch(problem -> problem.severity() == Problem.Severity.ERROR);
    }

    List<Problem> problems() {
        return problems;
    }
}
