package dev.culvert.agent.kube;

import dev.culvert.agent.pods.PodView;
import dev.culvert.agent.pods.RedirectionStatus;
import dev.culvert.json.Json;
import dev.culvert.json.JsonException;
import dev.culvert.json.JsonReader;
import dev.culvert.json.JsonWriter;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The annotation `ambient.istio.io/redirection` on the pod, as Istio's agent writes it: a merge patch of
/// `pods/status`, which needs less of a right than changing pods. The uid in the patch keeps it from a later
/// pod of the same name. Confined to one thread at a time.
public final class AnnotatedStatus implements RedirectionStatus {
    private static final String ANNOTATION = "ambient.istio.io/redirection";
    private static final String NOTES = "culvert.dev/capture-notes";
    private static final int MOST_NOTE = 2048;
    /// A pod that starts waits for it, and so does every other of the node.
    private static final Duration MOST = Duration.ofSeconds(10);

    private final KubernetesClient client;
    /// What we wrote, which the watched object shows a little later. Empty: removed.
    private final Map<String, Optional<State>> written = new HashMap<>();
    private final Map<String, String> noted = new HashMap<>();

    public AnnotatedStatus(KubernetesClient client) {
        this.client = client;
    }

    @Override
    public Optional<State> read(PodView pod) {
        return written.getOrDefault(pod.uid(), annotated(pod));
    }

    private static Optional<State> annotated(PodView pod) {
        return Optional.ofNullable(pod.annotations().get(ANNOTATION))
                .filter(word -> !word.isEmpty())
                .map(word -> word.equals(State.ENABLED.word()) ? State.ENABLED : State.PENDING);
    }

    @Override
    public void write(PodView pod, State state) throws IOException {
        if (!read(pod).equals(Optional.of(state))) {
            patch(pod, ANNOTATION, new Json.Str(state.word()));
            written.put(pod.uid(), Optional.of(state));
        }
    }

    @Override
    public void remove(PodView pod) throws IOException {
        if (read(pod).isEmpty()) {
            return;
        }
        try {
            patch(pod, ANNOTATION, new Json.Null());
        } catch (RefusedException e) {
            if (!e.isGone()) {
                throw e;
            }
        }
        written.put(pod.uid(), Optional.empty());
    }

    @Override
    public boolean note(PodView pod, String text) throws IOException {
        var note = text.length() > MOST_NOTE ? text.substring(0, MOST_NOTE) + "…" : text;
        var before = noted.getOrDefault(pod.uid(), pod.annotations().getOrDefault(NOTES, ""));
        if (note.equals(before)) {
            return false;
        }
        patch(pod, NOTES, note.isEmpty() ? new Json.Null() : new Json.Str(note));
        noted.put(pod.uid(), note);
        return true;
    }

    @Override
    public void gone(String uid) {
        noted.remove(uid);
        written.remove(uid);
    }

    private void patch(PodView pod, String annotation, Json value) throws IOException {
        var annotations = Json.Obj.of(Map.of(annotation, value));
        var metadata = Json.Obj.of(Map.of("uid", new Json.Str(pod.uid()), "annotations", annotations));
        var patch = JsonWriter.write(Json.Obj.of(Map.of("metadata", metadata)));
        var path = "api/v1/namespaces/%s/pods/%s/status"
                .formatted(pod.name().namespace(), pod.name().name());
        var http = client.getHttpClient();
        var request = http.newHttpRequestBuilder()
                .uri(client.getMasterUrl().toString().replaceFirst("/*$", "/") + path)
                .method("PATCH", "application/merge-patch+json", patch)
                .timeout(MOST.toSeconds(), TimeUnit.SECONDS)
                .build();
        var answer = answer(http.sendAsync(request, String.class));
        if (!answer.isSuccessful()) {
            throw new RefusedException(
                    answer.code(),
                    "its annotation " + annotation + " cannot be written: the API server answers " + answer.code()
                            + ", " + message(answer.body()));
        }
    }

    private static HttpResponse<String> answer(CompletableFuture<HttpResponse<String>> sent) throws IOException {
        try {
            return sent.get(MOST.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while its annotation " + ANNOTATION + " is written");
        } catch (ExecutionException | TimeoutException e) {
            sent.cancel(true);
            throw new IOException(
                    "its annotation " + ANNOTATION + " cannot be written: the API server is silent: " + e, e);
        }
    }

    /// What the server's Status says; a body that is none says nothing.
    private static String message(String body) {
        try {
            return JsonReader.read(body) instanceof Json.Obj status
                    ? status.text("message").orElse("without a reason")
                    : "without a reason";
        } catch (JsonException e) {
            return "without a reason";
        }
    }

    /// What the API server refused.
    private static final class RefusedException extends IOException {
        private final int code;

        RefusedException(int code, String message) {
            super(message);
            this.code = code;
        }

        /// No such pod, or another one of the same name.
        boolean isGone() {
            return code == HttpURLConnection.HTTP_NOT_FOUND || code == HttpURLConnection.HTTP_CONFLICT;
        }
    }
}
