package dev.culvert.kube.read;

import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.ObjectKey;
import dev.culvert.kube.object.Place;
import dev.culvert.kube.object.Problem;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;

/// Reads the text of one file: any number of documents, one object each. A document that cannot be read spoils
/// no other.
public final class YamlReader {
    private static final int MAX_BYTES = 10 << 20;
    private static final int MAX_DOCUMENTS = 10_000;
    private static final int MAX_DEPTH = 50;

    private YamlReader() {}

    /// What a file says.
    ///
    /// @param broken keys of objects that are there, and wrong
    /// @param unclear whether something is wrong that hides which objects are there
    /// @param sources the text that each object was read from; of one that is written twice, the first
    public record Result(
            List<KubeObject> objects,
            List<Problem> problems,
            Set<ObjectKey> broken,
            boolean unclear,
            Map<ObjectKey, Chunk> sources) {
        public Result {
            objects = List.copyOf(objects);
            problems = List.copyOf(problems);
            broken = Set.copyOf(broken);
            sources = Map.copyOf(sources);
        }
    }

    /// One document's text, and how many lines of its file come before it.
    public record Chunk(int linesBefore, String text) {}

    /// A file that could not even be read.
    public static Result unreadable(Path file, String message, String fix) {
        return new Result(
                List.of(), List.of(Problem.error(new Place(file, 1), "", message, fix)), Set.of(), true, Map.of());
    }

    public static int maxBytes() {
        return MAX_BYTES;
    }

    public static Result read(Path file, String text) {
        var chunks = chunks(text);
        if (chunks.size() > MAX_DOCUMENTS) {
            return unreadable(file, "more than " + MAX_DOCUMENTS + " documents", "spread them over several files");
        }
        return read(file, chunks);
    }

    /// Reads documents that were part of a file once.
    public static Result read(Path file, List<Chunk> chunks) {
        var objects = new ArrayList<KubeObject>();
        var problems = new ArrayList<Problem>();
        var broken = new HashSet<ObjectKey>();
        var sources = new HashMap<ObjectKey, Chunk>();
        var unclear = false;
        for (var chunk : chunks) {
            var document = new Document(file, chunk.linesBefore);
            for (var result : read(document, chunk.text)) {
                result.object().ifPresent(object -> {
                    objects.add(object);
                    sources.putIfAbsent(object.key(), chunk);
                });
                result.key().filter(_ -> result.object().isEmpty()).ifPresent(broken::add);
                unclear |= result.key().isEmpty() && !result.foreign();
            }
            problems.addAll(document.problems());
        }
        return new Result(objects, problems, broken, unclear, sources);
    }

    private static List<ObjectReader.Result> read(Document document, String text) {
        try {
            var root = new Yaml(options()).compose(new StringReader(text));
            return root == null ? List.of() : readObjects(document, root);
        } catch (MarkedYAMLException syntax) {
            var problem = Optional.ofNullable(syntax.getProblem()).orElse("cannot be read");
            // What is still open at the end was opened where it matters.
            var mark = problem.contains("<stream end>") && syntax.getContextMark() != null
                    ? syntax.getContextMark()
                    : syntax.getProblemMark();
            var line = Optional.ofNullable(mark).map(at -> at.getLine()).orElse(0);
            document.add(Problem.error(document.place(line), "", "YAML syntax: " + problem, fix(problem)));
        } catch (YAMLException limit) {
            document.add(Problem.error(document.place(0), "", "YAML: " + limit.getMessage(), ""));
        }
        return List.of(ObjectReader.Result.NOTHING);
    }

    private static String fix(String problem) {
        return problem.contains("tab") || problem.contains("\\t")
                ? "indent with spaces"
                : "check indentation, quotes and colons on this line and the one before";
    }

    private static List<ObjectReader.Result> readObjects(Document document, Node root) {
        var fields = new Fields(document, "", root);
        if (fields.names().isEmpty()) {
            return List.of();
        }
        if (!fields.text("kind", "").equals("List")) {
            return List.of(ObjectReader.read(document, fields));
        }
        var results = new ArrayList<ObjectReader.Result>();
        for (var item : fields.children("items")) {
            var one = new Document(document.place(0).source(), document.place(0).line() - 1);
            results.add(ObjectReader.read(one, item.in(one)));
            one.problems().forEach(document::add);
        }
        return results;
    }

    static LoaderOptions options() {
        var options = new LoaderOptions();
        options.setCodePointLimit(MAX_BYTES);
        options.setNestingDepthLimit(MAX_DEPTH);
        return options;
    }

    /// The text between `---` lines; so a syntax error ends with its document.
    private static List<Chunk> chunks(String text) {
        var chunks = new ArrayList<Chunk>();
        var current = new StringBuilder();
        var line = 0;
        var start = 0;
        for (var content : (Iterable<String>) text.lines()::iterator) {
            if (content.startsWith("---") && (content.length() == 3 || Character.isWhitespace(content.charAt(3)))) {
                add(chunks, start, current);
                start = line;
            }
            current.append(content).append('\n');
            line++;
        }
        add(chunks, start, current);
        return chunks;
    }

    private static void add(List<Chunk> chunks, int linesBefore, StringBuilder text) {
        if (!text.toString().isBlank()) {
            chunks.add(new Chunk(linesBefore, text.toString()));
        }
        text.setLength(0);
    }
}
