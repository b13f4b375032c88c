package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import java.util.Optional;
import java.util.Set;

/// Which pods are captured, and how; pure.
/// @param excludedNamespaces never captured
/// @param systemNamespace where ztunnel's own pods are, which are never captured
/// @param dnsCapture unless a pod's annotation says otherwise
public record Selection(Set<String> excludedNamespaces, String systemNamespace, boolean dnsCapture) {
    private static final String MODE = "istio.io/dataplane-mode";
    private static final String AMBIENT = "ambient";

    public Selection {
        excludedNamespaces = Set.copyOf(excludedNamespaces);
    }

    /// How to capture `pod`; empty if it is not to be captured.
    public Optional<Capture> wanted(PodView pod) {
        if (never(pod) || !labelled(pod)) {
            return Optional.empty();
        }
        var dns = flag(pod, "ambient.istio.io/dns-capture").orElse(dnsCapture);
        var bypass = flag(pod, "ambient.istio.io/bypass-inbound-capture").orElse(false);
        return Optional.of(new Capture(dns, !bypass));
    }

    private boolean never(PodView pod) {
        return pod.hostNetwork()
                || pod.annotations().containsKey("sidecar.istio.io/status")
                || excludedNamespaces.contains(pod.name().namespace())
                || (pod.name().namespace().equals(systemNamespace)
                        && "ztunnel".equals(pod.labels().get("app")));
    }

    private static boolean labelled(PodView pod) {
        var own = pod.labels().get(MODE);
        if (AMBIENT.equals(own)) {
            return true;
        }
        return !"none".equals(own) && AMBIENT.equals(pod.namespaceLabels().get(MODE));
    }

    /// As Go's `ParseBool`; what it does not understand counts as absent.
    private static Optional<Boolean> flag(PodView pod, String annotation) {
        var text = pod.annotations().get(annotation);
        if (text == null) {
            return Optional.empty();
        }
        return switch (text) {
            case "1", "t", "T", "true", "TRUE", "True" -> Optional.of(true);
            case "0", "f", "F", "false", "FALSE", "False" -> Optional.of(false);
            default -> Optional.empty();
        };
    }
}
