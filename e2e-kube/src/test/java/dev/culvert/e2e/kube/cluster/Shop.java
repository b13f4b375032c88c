package dev.culvert.e2e.kube.cluster;

import java.util.List;

/// The objects of the tests, as YAML. Their image is one of ours, which has busybox.
record Shop(String namespace, String image) {
    static final String CRITICAL = "kube-system";

    String namespaces() {
        return """
                apiVersion: v1
                kind: Namespace
                metadata: {name: %1$s, labels: {istio.io/dataplane-mode: ambient}}
                ---
                apiVersion: v1
                kind: Namespace
                metadata: {name: %1$s-plain}
                """.formatted(namespace);
    }

    /// Whose controller has the shop.
    String ofRevision(String revision) {
        return """
                apiVersion: v1
                kind: Namespace
                metadata: {name: %s, labels: {istio.io/dataplane-mode: ambient, istio.io/rev: %s}}
                """.formatted(namespace, revision);
    }

    /// What Istio's controller would run, and be asked: its Gateway, its tag, sidecars.
    String ofIstio() {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: GatewayClass
                metadata: {name: of-istio}
                spec: {controllerName: istio.io/mesh-controller}
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: of-istio, namespace: %1$s}
                spec: {gatewayClassName: of-istio, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
                ---
                apiVersion: v1
                kind: Namespace
                metadata: {name: %1$s-plain, labels: {istio-injection: enabled}}
                ---
                apiVersion: admissionregistration.k8s.io/v1
                kind: MutatingWebhookConfiguration
                metadata: {name: istio-revision-tag-spare, labels: {istio.io/tag: spare, istio.io/rev: default}}
                webhooks:
                - name: of.istio.io
                  clientConfig: {service: {name: istiod, namespace: istio-system, path: /inject}}
                  namespaceSelector: {matchLabels: {nobody: has-this}}
                  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
                  sideEffects: None
                  admissionReviewVersions: [v1]
                """.formatted(namespace);
    }

    String outside() {
        return namespace + "-plain";
    }

    /// With or without the mesh.
    String enrolment(String mode) {
        return """
                apiVersion: v1
                kind: Namespace
                metadata: {name: %s, labels: {istio.io/dataplane-mode: %s}}
                """.formatted(namespace, mode);
    }

    /// An HTTP server that answers with a word, probed by the kubelet.
    String server(String name, String node, String word) {
        return pod(namespace, name, node) + """
                    command: [sh, -c, "mkdir -p /tmp/www && echo %s > /tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www"]
                    ports: [{containerPort: 8080}]
                    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 3}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: %s, namespace: %s}
                spec:
                  selector: {app: %2$s}
                  ports: [{port: 80, targetPort: 8080, name: http}]
                """.formatted(word, name, namespace);
    }

    String client(String in, String name, String node) {
        return pod(in, name, node) + "    command: [sleep, \"1000000\"]\n";
    }

    /// A client that asks for the same all the time, from its first moment on.
    String talker(String name, String node, String url) {
        return pod(namespace, name, node)
                + "    command: [sh, -c, \"while :; do timeout 2 wget -q -O /dev/null '%s'; sleep 0.1; done\"]\n"
                        .formatted(url);
    }

    /// Fetches something in an init container, which only a member of the mesh gets, and once more; then it is done.
    String job(String name, String node, String url) {
        return pod(namespace, name, node).replace("  containers:\n", """
                                  restartPolicy: Never
                                  initContainers:
                                  - name: first
                                    image: %s
                                    imagePullPolicy: IfNotPresent
                                    command: [timeout, "30", wget, -q, -O, /dev/null, "%s"]
                                  containers:
                                """.formatted(image, url))
                + "    command: [timeout, \"30\", wget, -q, -O, /dev/null, \"%s\"]\n".formatted(url);
    }

    /// A pod without which a node is of no use.
    String nodeCritical(String name, String node) {
        return pod(CRITICAL, name, node).replace("spec:\n", "spec:\n  priorityClassName: system-node-critical\n")
                + "    command: [sleep, \"1000000\"]\n";
    }

    /// A server that says everything back, also to its log, and takes no notice of being asked to end.
    String lingering(String name, String node) {
        return pod(namespace, name, node).replace("Seconds: 0", "Seconds: 25") + """
                    command: [sh, -c, "trap : TERM; nc -ll -p 8080 -e tee /dev/stderr & while :; do sleep 1; done"]
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: %1$s, namespace: %2$s}
                spec:
                  selector: {app: %1$s}
                  ports: [{port: 80, targetPort: 8080, name: tcp}]
                """.formatted(name, namespace);
    }

    /// A client that is a process of the node, as far as the network goes.
    String clientOfTheNode(String name, String node) {
        return pod(outside(), name, node).replace("spec:\n", "spec:\n  hostNetwork: true\n")
                + "    command: [sleep, \"1000000\"]\n";
    }

    private String pod(String in, String name, String node) {
        return """
                apiVersion: v1
                kind: ServiceAccount
                metadata: {name: %1$s, namespace: %2$s}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: %1$s, namespace: %2$s, labels: {app: %1$s}}
                spec:
                  serviceAccountName: %1$s
                  automountServiceAccountToken: false
                  nodeName: %3$s
                  terminationGracePeriodSeconds: 0
                  containers:
                  - name: main
                    image: %4$s
                    imagePullPolicy: IfNotPresent
                """.formatted(name, in, node, image);
    }

    /// @param pair certificate and key in base64
    String certificate(List<String> pair) {
        return """
                apiVersion: v1
                kind: Secret
                type: kubernetes.io/tls
                metadata: {name: door, namespace: %s}
                data: {tls.crt: "%s", tls.key: "%s"}
                """.formatted(namespace, pair.getFirst(), pair.getLast());
    }

    /// A Gateway at the edge, in clear and in TLS.
    String door(String server) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata:
                  name: door
                  namespace: %1$s
                  annotations: {networking.istio.io/service-type: ClusterIP}
                spec:
                  gatewayClassName: culvert
                  listeners:
                  - {name: web, port: 80, protocol: HTTP}
                  - {name: secure, port: 443, protocol: HTTPS, hostname: shop.example, tls: {certificateRefs: [{name: door}]}}
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: door, namespace: %1$s}
                spec:
                  parentRefs: [{name: door}]
                  hostnames: [shop.example]
                  rules: [{backendRefs: [{name: %2$s, port: 80}]}]
                """.formatted(namespace, server);
    }

    /// Istio's own Gateway, on the pods of another at the edge: in TLS, as bytes, and in clear sent to TLS.
    /// @param pair certificate and key, each in base64
    String gate(String server, List<String> pair) {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata:
                  name: sea
                  namespace: %1$s
                  annotations: {networking.istio.io/service-type: ClusterIP}
                spec:
                  gatewayClassName: culvert
                  infrastructure: {labels: {istio: %1$s}}
                  listeners: [{name: unused, port: 8080, protocol: HTTP}]
                ---
                apiVersion: v1
                kind: Secret
                type: Opaque
                metadata: {name: gate, namespace: %1$s}
                data: {cert: "%3$s", key: "%4$s"}
                ---
                apiVersion: networking.istio.io/v1
                kind: Gateway
                metadata: {name: sea, namespace: %1$s}
                spec:
                  selector: {istio: %1$s}
                  servers:
                  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example], tls: {httpsRedirect: true}}
                  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [shop.example], tls: {mode: SIMPLE, credentialName: gate}}
                  - {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ["*"]}
                ---
                apiVersion: networking.istio.io/v1
                kind: VirtualService
                metadata: {name: server, namespace: %1$s}
                spec:
                  hosts: [shop.example]
                  gateways: [sea]
                  http: [{route: [{destination: {host: %2$s, port: {number: 80}}}]}]
                  tcp: [{match: [{port: 9000}], route: [{destination: {host: %2$s, port: {number: 80}}}]}]
                """.formatted(namespace, server, pair.getFirst(), pair.getLast());
    }

    /// The same Service, also on a port of every node.
    String nodePort(String server) {
        return """
                apiVersion: v1
                kind: Service
                metadata: {name: %1$s-node, namespace: %2$s}
                spec:
                  type: NodePort
                  selector: {app: %1$s}
                  ports: [{port: 80, targetPort: 8080}]
                """.formatted(server, namespace);
    }

    String probedByTcp(String name, String node) {
        return pod(namespace, name, node) + """
                    command: [httpd, -f, -p, "8080"]
                    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1, timeoutSeconds: 5}
                """;
    }

    /// Ready only if the kubelet follows a redirect and says the query of each.
    String redirecting(String name, String node) {
        return pod(namespace, name, node) + """
                    command:
                    - sh
                    - -c
                    - |
                      mkdir -p /tmp/www/cgi-bin && cd /tmp/www/cgi-bin
                      cat > start <<'END'
                      #!/bin/sh
                      [ "$QUERY_STRING" = from=kubelet ] || { printf 'Status: 500 Another query\\r\\n\\r\\n'; exit; }
                      printf 'Status: 302 Found\\r\\nLocation: /cgi-bin/end?deep=1\\r\\n\\r\\n'
                      END
                      cat > end <<'END'
                      #!/bin/sh
                      [ "$QUERY_STRING" = deep=1 ] || { printf 'Status: 500 Another query\\r\\n\\r\\n'; exit; }
                      printf 'Status: 200 OK\\r\\n\\r\\nready'
                      END
                      chmod +x start end
                      exec httpd -f -p 8080 -h /tmp/www
                    ports: [{containerPort: 8080, name: www}]
                    startupProbe: {tcpSocket: {port: www}, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 60}
                    readinessProbe: {httpGet: {path: "/cgi-bin/start?from=kubelet", port: www}, periodSeconds: 1, timeoutSeconds: 5}
                """;
    }

    /// Answers every call with SERVING (grpc.health.v1): SETTINGS; then, when the call has come, an acknowledgement,
    /// headers (200, application/grpc), a message of two bytes and the trailers (grpc-status 0) of stream 1.
    String probedByGrpc(String name, String node) {
        return pod(namespace, name, node) + """
                    command:
                    - sh
                    - -c
                    - |
                      cat > /tmp/answer <<'END'
                      #!/bin/sh
                      printf '\\000\\000\\000\\004\\000\\000\\000\\000\\000'
                      sleep 1
                      printf '\\000\\000\\000\\004\\001\\000\\000\\000\\000'
                      printf '\\000\\000\\024\\001\\004\\000\\000\\000\\001\\210\\017\\020\\020application/grpc'
                      printf '\\000\\000\\007\\000\\000\\000\\000\\000\\001\\000\\000\\000\\000\\002\\010\\001'
                      printf '\\000\\000\\017\\001\\005\\000\\000\\000\\001\\000\\013grpc-status\\0010'
                      exec cat > /dev/null
                      END
                      chmod +x /tmp/answer
                      exec nc -ll -p 8080 -e /tmp/answer
                    readinessProbe: {grpc: {port: 8080}, periodSeconds: 3, timeoutSeconds: 10}
                """;
    }

    /// A server on three ports, one of which its author keeps out of the mesh.
    String kiosk(String name, String node, String word) {
        return pod(namespace, name, node)
                        .replace(
                                "labels: {app: " + name + "}",
                                "labels: {app: " + name
                                        + "}, annotations: {culvert.dev/exclude-inbound-ports: \"9100\"}")
                + """
                    command: [sh, -c, "mkdir -p /tmp/www && echo %s > /tmp/www/index.html && httpd -p 9100 -h /tmp/www && httpd -p 9090 -h /tmp/www && exec httpd -f -p 8080 -h /tmp/www"]
                    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1, timeoutSeconds: 5}
                """.formatted(word);
    }

    /// A port of a server takes plaintext, of one address only.
    String scraped(String server, int port, String scraper) {
        return """
                apiVersion: security.istio.io/v1
                kind: PeerAuthentication
                metadata: {name: metrics, namespace: %1$s}
                spec:
                  selector: {matchLabels: {app: %2$s}}
                  mtls: {mode: STRICT}
                  portLevelMtls: {"%3$d": {mode: PERMISSIVE}}
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: metrics, namespace: %1$s}
                spec:
                  selector: {matchLabels: {app: %2$s}}
                  rules:
                  - from: [{source: {ipBlocks: [%4$s]}}]
                    to: [{operation: {ports: ["%3$d"]}}]
                """.formatted(namespace, server, port, scraper);
    }

    /// The API server takes it; nobody can read the block.
    String unreadable(String server) {
        return """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: by-block, namespace: %s}
                spec:
                  selector: {matchLabels: {app: %s}}
                  action: DENY
                  rules: [{from: [{source: {ipBlocks: [198.18.0.0/99]}}]}]
                """.formatted(namespace, server);
    }

    String denyAll() {
        return """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: deny-all, namespace: %s}
                spec: {}
                """.formatted(namespace);
    }

    String strict() {
        return """
                apiVersion: security.istio.io/v1
                kind: PeerAuthentication
                metadata: {name: default, namespace: %s}
                spec: {mtls: {mode: STRICT}}
                """.formatted(namespace);
    }

    /// Only `account` may call `server`.
    String onlyFrom(String server, String account) {
        return """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: only-%2$s, namespace: %1$s}
                spec:
                  selector: {matchLabels: {app: %3$s}}
                  action: ALLOW
                  rules:
                  - from: [{source: {principals: ["cluster.local/ns/%1$s/sa/%2$s"]}}]
                """.formatted(namespace, account, server);
    }

    String waypoint() {
        return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: gate, namespace: %s}
                spec:
                  gatewayClassName: culvert-waypoint
                  listeners: [{name: mesh, port: 15008, protocol: HBONE}]
                """.formatted(namespace);
    }

    /// A waypoint that a ConfigMap changes.
    String waypointWithParameters() {
        return waypoint()
                .replace(
                        "spec:\n",
                        "spec:\n  infrastructure: {parametersRef: {group: \"\", kind: ConfigMap, name: parameters}}\n");
    }

    /// @param data as YAML, without indentation
    String parameters(String data) {
        return """
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: parameters, namespace: %s}
                data:
                %s""".formatted(namespace, data.indent(2));
    }

    String throughWaypoint(String server) {
        return """
                apiVersion: v1
                kind: Service
                metadata: {name: %s, namespace: %s, labels: {istio.io/use-waypoint: gate}}
                spec:
                  selector: {app: %1$s}
                  ports: [{port: 80, targetPort: 8080, name: http}]
                """.formatted(server, namespace);
    }

    String onlyPath(String server, String path) {
        return """
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: only-path, namespace: %s}
                spec:
                  targetRefs: [{group: "", kind: Service, name: %s}]
                  rules: [{to: [{operation: {paths: ["%s"]}}]}]
                """.formatted(namespace, server, path);
    }

    /// A host whose endpoints are a server's pods.
    String entry(String host, String server) {
        return """
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata: {name: entry, namespace: %s}
                spec:
                  hosts: [%s]
                  location: MESH_INTERNAL
                  resolution: STATIC
                  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
                  workloadSelector: {labels: {app: %s}}
                """.formatted(namespace, host, server);
    }
}
