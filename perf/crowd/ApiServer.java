import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.Set;

/// Requests to the API server that a kubeconfig names. Thread-safe.
final class ApiServer {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Set<Integer> FINE = Set.of(200, 201, 202);
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;

    private final ObjectMapper json = new ObjectMapper();
    private final Config config;
    private final HttpClient client;

    ApiServer(Path kubeconfig) throws IOException, GeneralSecurityException {
        config = Config.fromKubeconfig(kubeconfig.toFile());
        client = HttpClient.newBuilder()
                .sslContext(SSLUtils.sslContext(config))
                .connectTimeout(PATIENCE)
                .build();
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return send("GET", path, "application/json", "");
    }

    /// What is there already is left as it is.
    JsonNode create(String path, String object) throws IOException, InterruptedException {
        return send("POST", path, "application/json", object);
    }

    JsonNode patch(String path, String change) throws IOException, InterruptedException {
        return send("PATCH", path, "application/merge-patch+json", change);
    }

    void delete(String path) throws IOException, InterruptedException {
        send("DELETE", path, "application/json", "");
    }

    /// @return a missing node for what is not there, and for what was to be created and is there
    private JsonNode send(String method, String path, String type, String body)
            throws IOException, InterruptedException {
        var base = config.getMasterUrl().replaceAll("/+$", "");
        var request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(PATIENCE)
                .header("Content-Type", type)
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (config.getOauthToken() != null) {
            request.header("Authorization", "Bearer " + config.getOauthToken());
        }
        var answer = client.send(request.build(), BodyHandlers.ofByteArray());
        if (FINE.contains(answer.statusCode())) {
            return json.readTree(answer.body());
        }
        var isThere = answer.statusCode() == CONFLICT && method.equals("POST");
        if (isThere || (answer.statusCode() == NOT_FOUND && !method.equals("POST") && !method.equals("PATCH"))) {
            return json.missingNode();
        }
        throw new IOException(
                method + " " + path + ": " + answer.statusCode() + " " + new String(answer.body()).strip());
    }
}
