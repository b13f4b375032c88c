package dev.culvert.kube.read;

import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.yaml.snakeyaml.nodes.Node;

/// The object that is being read: its place, and what was found wrong so far. For one thread.
final class Document {
    private final String source;
    private final int linesBefore;
    private final Optional<Place> only;
    private final List<Problem> problems;
    private String object;

    private Document(String source, int linesBefore, Optional<Place> only, List<Problem> problems, String object) {
        this.source = source;
        this.linesBefore = linesBefore;
        this.only = only;
        this.problems = problems;
        this.object = object;
    }

    Document(String file, int linesBefore) {
        this(file, linesBefore, Optional.empty(), new ArrayList<>(), "");
    }

    Document(Path file, int linesBefore) {
        this(file.toString(), linesBefore);
    }

    static Document inCluster(ObjectKey key) {
        return new Document("", 0, Optional.of(Place.inCluster(key)), new ArrayList<>(), "");
    }

    /// An API server may be newer than we are; it has refused what its own schema does not know.
    boolean mayHaveUnknownFields() {
        return only.isPresent();
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

    /// Text within this document, as a document of its own: what is wrong with it is wrong with this one.
    /// @param line counted from 0, of the text's first line
    Document within(int line) {
        return new Document(source, linesBefore + line, only, problems, object);
    }

    /// @param line counted from 0, in this document
    Place place(int line) {
        return only.orElseGet(() -> new Place(source, linesBefore + line + 1));
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
        return problems.stream().anyMatch(Problem::isError);
    }

    List<Problem> problems() {
        return problems;
    }
}
