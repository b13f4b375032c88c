package dev.culvert.e2e;

/// What users write: two namespaces, three pods in the one and a stranger in the other, and changes to them.
/// `server` is alone on node-2; the others are on node-1.
final class Yaml {
    static final String PODS = """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop, labels: {app: web}}
            spec:
              nodeName: node-1
              serviceAccountName: web
              containers: [{name: web, command: [sleep, infinity]}]
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: batch, namespace: shop, labels: {app: batch}}
            spec:
              nodeName: node-1
              serviceAccountName: batch
              containers: [{name: batch, command: [sleep, infinity]}]
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: server, namespace: shop, labels: {app: server}}
            spec:
              nodeName: node-2
              serviceAccountName: server
              containers: [{name: server, command: [sleep, infinity]}]
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: server, namespace: shop}
            spec:
              selector: {app: server}
              ports: [{name: tcp, port: 80, targetPort: 8080}]
            ---
            apiVersion: v1
            kind: Namespace
            metadata: {name: outside}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: stranger, namespace: outside, labels: {app: stranger}}
            spec:
              nodeName: node-1
              containers: [{name: stranger, command: [sleep, infinity]}]
            """;

    static final String NOT_ENROLLED = """
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop}
            """;

    static final String ENROLLED = """
            apiVersion: v1
            kind: Namespace
            metadata:
              name: shop
              labels: {istio.io/dataplane-mode: ambient}
            """;

    static final String STRICT = """
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default, namespace: shop}
            spec: {mtls: {mode: STRICT}}
            """;

    static final String ONLY_WEB = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: only-web, namespace: shop}
            spec:
              selector: {matchLabels: {app: server}}
              action: ALLOW
              rules:
              - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
            """;

    static final String DENY_ALL = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: deny-all, namespace: shop}
            spec: {}
            """;

    private Yaml() {}
}
