package dev.culvert.kube.client;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/// What to say of a call that failed.
final class Failures {
    private Failures() {}

    static String text(Throwable failed) {
        var cause = failed;
        while (cause.getCause() != null
                && (cause instanceof CompletionException
                        || cause instanceof ExecutionException
                        || (cause instanceof KubernetesClientException call && call.getCode() <= 0))) {
            cause = cause.getCause();
        }
        if (cause instanceof KubernetesClientException call && call.getStatus() != null) {
            return call.getCode() + " "
                    + Optional.ofNullable(call.getStatus().getMessage()).orElse("");
        }
        return cause.toString();
    }
}
