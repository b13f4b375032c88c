package dev.culvert.agent.pods;

import dev.culvert.agent.rules.Capture;
import dev.culvert.kube.object.Exclusions;
import java.util.Optional;
import java.util.Set;

/// Which pods are captured, and how; pure.
/// @param excludedNamespaces never captured
/// @param systemNamespace where ztunnel's own pods are, which are never captured
/// @param dnsCapture unless a pod's annotation says otherwise
public record Selection(Set<String> excludedNamespaces, String systemNamespace, boolean dnsCapture) {
    private static final String MODE = "istio.io/dataplane-mode";
    private static final String AMBIENT = "ambient";
    private static final String NONE = "none";

    public Selection {
        excludedNamespaces = Set.copyOf(excludedNamespaces);
    }

    /// Whether `pod` is to be captured. It is released only by what was read, never for want of information.
    public Wish wish(PodView pod) {
        var never = never(pod);
        if (!never && labelled(pod)) {
            return new Wish.Captured();
        }
        if (!pod.surroundings().doubts().isEmpty()) {
            return new Wish.Unknown(String.join(", ", pod.surroundings().doubts()) + " cannot be read; mend it");
        }
        var optedOut = never || NONE.equals(pod.labels().get(MODE));
        if (!optedOut && pod.surroundings().namespaceLabels().isEmpty()) {
            var namespace = pod.name().namespace();
            return new Wish.Unknown("there is no Namespace " + namespace + "; write one, without the label " + MODE);
        }
        return new Wish.Released();
    }

    /// How `pod` is captured, if it is.
    public Capture capture(PodView pod) {
        var dns = flag(pod, "ambient.istio.io/dns-capture").orElse(dnsCapture);
        var bypass = flag(pod, "ambient.istio.io/bypass-inbound-capture").orElse(false);
        return new Capture(dns, !bypass).without(Exclusions.of(pod.annotations()));
    }

    /// Why a pod whose labels ask for it is not captured, though it could read as if it were; for its author.
    public Optional<String> obstacle(PodView pod) {
        if (!labelled(pod)) {
            return Optional.empty();
        }
        if (pod.hostNetwork()) {
            return Optional.of(
                    "it uses the node's network (hostNetwork), where its traffic cannot be told from others'");
        }
        if (hasSidecar(pod)) {
            return Optional.of("it has a sidecar, or its label sidecar.istio.io/inject asks for one");
        }
        return Optional.empty();
    }

    private static boolean hasSidecar(PodView pod) {
        return pod.annotations().containsKey("sidecar.istio.io/status")
                || "true".equals(pod.labels().get("sidecar.istio.io/inject"));
    }

    private boolean never(PodView pod) {
        return pod.hostNetwork()
                || hasSidecar(pod)
                || excludedNamespaces.contains(pod.name().namespace())
                || (pod.name().namespace().equals(systemNamespace)
                        && "ztunnel".equals(pod.labels().get("app")));
    }

    private static boolean labelled(PodView pod) {
        var own = pod.labels().get(MODE);
        if (AMBIENT.equals(own)) {
            return true;
        }
        var outer = pod.surroundings().namespaceLabels().map(labels -> labels.get(MODE));
        return !NONE.equals(own) && outer.filter(AMBIENT::equals).isPresent();
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
