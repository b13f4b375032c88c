package dev.culvert.istiod.admission;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.culvert.daemon.admin.Page;
import dev.culvert.daemon.admin.Request;
import dev.culvert.daemon.admin.Response;
import dev.culvert.kube.client.Reading;
import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.KubeObject;
import dev.culvert.kube.object.Problem;
import dev.culvert.kube.read.ApiReader;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// `/validate`: answers AdmissionReviews (`admission.k8s.io/v1`). An object that we cannot read is refused, with what
/// is wrong and what to write instead. One that does less than it seems to is taken with warnings, which `kubectl`
/// shows. What belongs to another revision is that one's to judge. What was wrong before and is not touched is let
/// through: somebody else's labels and finalizers are not held up by it. Anybody who reaches the port may ask: nothing
/// is said but of the object itself. Thread-safe.
public final class AdmissionPage implements Page {
    /// The largest object that an API server takes has 1.5 MiB, and a review holds it twice.
    public static final int MAX_BODY = 4 << 20;

    private static final int MAX_WARNINGS = 10;
    /// As much of a warning as an API server passes on.
    private static final int MAX_WARNING = 256;

    private static final int MAX_MESSAGE = 4000;
    private static final int INVALID = 422;

    private final ObjectMapper json = new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private final Neighbours neighbours;
    private final Ownership ownership;

    /// Knows what is wrong with an object next to the others that there are.
    @FunctionalInterface
    public interface Neighbours {
        /// @return of this object only; empty if nobody can say now
        List<Problem> problems(KubeObject object);
    }

    /// Knows which objects are of this controller's revision.
    @FunctionalInterface
    public interface Ownership {
        /// @param namespace empty for an object of the cluster
        boolean isOurs(String namespace, Map<String, String> labels);
    }

    public AdmissionPage(Neighbours neighbours, Ownership ownership) {
        this.neighbours = neighbours;
        this.ownership = ownership;
    }

    private record Verdict(List<String> errors, List<String> warnings) {
        static final Verdict TAKEN = new Verdict(List.of(), List.of());
    }

    @Override
    public Response answer(Request request) {
        return Response.json(answer(parse(request.body())));
    }

    private JsonNode parse(String body) {
        try {
            var review = json.readTree(body);
            if (review.path("request").path("uid").asText().isEmpty()) {
                throw new IllegalArgumentException("no AdmissionReview: request.uid is missing");
            }
            return review;
        } catch (JsonProcessingException broken) {
            throw new IllegalArgumentException("no AdmissionReview: the body is no JSON", broken);
        }
    }

    private String answer(JsonNode review) {
        var request = review.path("request");
        var verdict = judge(request);
        var answer = json.createObjectNode();
        answer.put("apiVersion", review.path("apiVersion").asText()).put("kind", "AdmissionReview");
        var response = answer.putObject("response");
        response.put("uid", request.path("uid").asText()).put("allowed", verdict.errors.isEmpty());
        if (!verdict.errors.isEmpty()) {
            var message = "configuration is invalid: " + String.join("; ", verdict.errors);
            response.putObject("status").put("code", INVALID).put("message", cut(message, MAX_MESSAGE));
        }
        var warnings = response.putArray("warnings");
        verdict.warnings.stream().limit(MAX_WARNINGS).forEach(text -> warnings.add(cut(text, MAX_WARNING)));
        return answer.toString();
    }

    private Verdict judge(JsonNode request) {
        var kind = kind(request.path("kind"));
        var now = request.path("object");
        if (kind.isEmpty() || !now.isObject() || now.path("metadata").hasNonNull("deletionTimestamp")) {
            return Verdict.TAKEN;
        }
        var object = object(request, now);
        if (!isOurs(object.getMetadata())) {
            return Verdict.TAKEN;
        }
        return Reading.read(kind.get(), object)
                .map(read -> judge(read, request.path("oldObject"), now))
                .orElse(Verdict.TAKEN);
    }

    private boolean isOurs(ObjectMeta metadata) {
        return ownership.isOurs(
                Objects.requireNonNullElse(metadata.getNamespace(), ""),
                Objects.requireNonNullElse(metadata.getLabels(), Map.of()));
    }

    private Verdict judge(ApiReader.Result read, JsonNode before, JsonNode now) {
        if (read.object().isEmpty() && before.isObject() && saysTheSame(before, now)) {
            return new Verdict(List.of(), texts(read.problems().stream()));
        }
        if (read.object().isEmpty()) {
            return new Verdict(texts(read.problems().stream().filter(Problem::isError)), List.of());
        }
        return new Verdict(List.of(), warnings(read, read.object().get()));
    }

    private List<String> warnings(ApiReader.Result read, KubeObject object) {
        return texts(Stream.concat(read.problems().stream(), neighbours.problems(object).stream())
                .distinct());
    }

    /// Only of the group that we read it from: others have kinds of the same names.
    private static Optional<Kind> kind(JsonNode asked) {
        var group = asked.path("group").asText() + "/";
        return Kind.of(
                        asked.path("kind").asText(),
                        group + asked.path("version").asText())
                .filter(kind -> kind.apiVersions().getFirst().startsWith(group));
    }

    private GenericKubernetesResource object(JsonNode request, JsonNode object) {
        try {
            var whole = json.treeToValue(object, GenericKubernetesResource.class);
            var metadata = whole.getMetadata();
            if (metadata == null) {
                throw new IllegalArgumentException("no object: metadata is missing");
            }
            if (metadata.getName() == null) { // generateName
                metadata.setName(request.path("name").asText());
            }
            var namespace = request.path("namespace").asText();
            if (metadata.getNamespace() == null && !namespace.isEmpty()) { // that of a cluster's object stays absent
                metadata.setNamespace(namespace);
            }
            return whole;
        } catch (JsonProcessingException broken) {
            throw new IllegalArgumentException("no object: " + broken.getOriginalMessage(), broken);
        }
    }

    private static boolean saysTheSame(JsonNode before, JsonNode now) {
        return before.path("spec").equals(now.path("spec"));
    }

    private static List<String> texts(Stream<Problem> problems) {
        var texts = new ArrayList<String>();
        problems.forEach(
                problem -> texts.add(problem.message() + (problem.fix().isEmpty() ? "" : " (" + problem.fix() + ")")));
        return texts;
    }

    private static String cut(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most - 1) + "…";
    }
}
