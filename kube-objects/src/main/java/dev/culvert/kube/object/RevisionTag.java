package dev.culvert.kube.object;

/// A MutatingWebhookConfiguration with the label `istio.io/tag`: another name for the revision of its label
/// `istio.io/rev`. No other is read, and of these the labels only.
public record RevisionTag(Metadata metadata, Place place) implements KubeObject {
    public static final String TAG = "istio.io/tag";
    public static final String REVISION = "istio.io/rev";
}
