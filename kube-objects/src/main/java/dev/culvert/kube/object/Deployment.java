package dev.culvert.kube.object;

import java.util.Map;

/// An `apps/v1` Deployment.
public record Deployment(Metadata metadata, int replicas, Map<String, String> selector, Template template, Place place)
        implements KubeObject {
    /// What each of its pods is made from.
    public record Template(Map<String, String> labels, Map<String, String> annotations, PodSpec spec) {
        public Template {
            labels = Map.copyOf(labels);
            annotations = Map.copyOf(annotations);
        }
    }

    public Deployment {
        selector = Map.copyOf(selector);
    }
}
