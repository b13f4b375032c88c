package dev.culvert.kube.read;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The field names of the Kubernetes and Istio APIs, where we look at all.
final class KnownFields {
    static final Set<String> OBJECT_SPEC = object("spec", "status");
    static final Set<String> SERVICE_ACCOUNT = object("automountServiceAccountToken", "imagePullSecrets", "secrets");
    static final Set<String> ENDPOINT_SLICE = object("addressType", "endpoints", "ports");
    static final Set<String> ENDPOINT = Set.of(
            "addresses", "conditions", "deprecatedTopology", "hints", "hostname", "nodeName", "targetRef", "zone");
    static final Set<String> ENDPOINT_CONDITIONS = Set.of("ready", "serving", "terminating");
    static final Set<String> ENDPOINT_PORT = Set.of("appProtocol", "name", "port", "protocol");
    static final Set<String> OBJECT_REFERENCE =
            Set.of("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid");
    static final Set<String> METADATA = Set.of(
            "annotations",
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "finalizers",
            "generateName",
            "generation",
            "labels",
            "managedFields",
            "name",
            "namespace",
            "ownerReferences",
            "resourceVersion",
            "selfLink",
            "uid");
    static final Set<String> OWNER = Set.of("apiVersion", "blockOwnerDeletion", "controller", "kind", "name", "uid");
    static final Set<String> NODE_SPEC =
            Set.of("configSource", "externalID", "podCIDR", "podCIDRs", "providerID", "taints", "unschedulable");
    static final Set<String> NODE_STATUS = Set.of(
            "addresses",
            "allocatable",
            "capacity",
            "conditions",
            "config",
            "daemonEndpoints",
            "declaredFeatures",
            "features",
            "images",
            "nodeInfo",
            "phase",
            "runtimeHandlers",
            "volumesAttached",
            "volumesInUse");
    static final Set<String> NODE_ADDRESS = Set.of("address", "type");
    static final Set<String> POD_SPEC = Set.of(
            "activeDeadlineSeconds",
            "affinity",
            "automountServiceAccountToken",
            "containers",
            "dnsConfig",
            "dnsPolicy",
            "enableServiceLinks",
            "ephemeralContainers",
            "hostAliases",
            "hostIPC",
            "hostNetwork",
            "hostPID",
            "hostUsers",
            "hostname",
            "hostnameOverride",
            "imagePullSecrets",
            "initContainers",
            "nodeName",
            "nodeSelector",
            "os",
            "overhead",
            "preemptionPolicy",
            "priority",
            "priorityClassName",
            "readinessGates",
            "resourceClaims",
            "resources",
            "restartPolicy",
            "runtimeClassName",
            "schedulerName",
            "schedulingGates",
            "securityContext",
            "serviceAccount",
            "serviceAccountName",
            "setHostnameAsFQDN",
            "shareProcessNamespace",
            "subdomain",
            "terminationGracePeriodSeconds",
            "tolerations",
            "topologySpreadConstraints",
            "volumes",
            "workloadRef");
    static final Set<String> CONTAINER = Set.of(
            "args",
            "command",
            "env",
            "envFrom",
            "image",
            "imagePullPolicy",
            "lifecycle",
            "livenessProbe",
            "name",
            "ports",
            "readinessProbe",
            "resizePolicy",
            "resources",
            "restartPolicy",
            "restartPolicyRules",
            "securityContext",
            "startupProbe",
            "stdin",
            "stdinOnce",
            "terminationMessagePath",
            "terminationMessagePolicy",
            "tty",
            "volumeDevices",
            "volumeMounts",
            "workingDir");
    static final Set<String> CONTAINER_PORT = Set.of("containerPort", "hostIP", "hostPort", "name", "protocol");
    static final Set<String> ENV = Set.of("name", "value", "valueFrom");
    static final Set<String> ENV_SOURCE =
            Set.of("configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef");
    static final Set<String> FIELD_REF = Set.of("apiVersion", "fieldPath");
    static final Set<String> PROBE = Set.of(
            "exec",
            "failureThreshold",
            "grpc",
            "httpGet",
            "initialDelaySeconds",
            "periodSeconds",
            "successThreshold",
            "tcpSocket",
            "terminationGracePeriodSeconds",
            "timeoutSeconds");
    static final Set<String> HTTP_GET = Set.of("host", "httpHeaders", "path", "port", "scheme");
    static final Set<String> TCP_SOCKET = Set.of("host", "port");
    static final Set<String> EXEC = Set.of("command");
    static final Set<String> GRPC = Set.of("port", "service");
    static final Set<String> POD_STATUS = Set.of(
            "allocatedResources",
            "conditions",
            "containerStatuses",
            "ephemeralContainerStatuses",
            "extendedResourceClaimStatus",
            "hostIP",
            "hostIPs",
            "initContainerStatuses",
            "message",
            "nominatedNodeName",
            "observedGeneration",
            "phase",
            "podIP",
            "podIPs",
            "qosClass",
            "reason",
            "resize",
            "resourceClaimStatuses",
            "resources",
            "startTime");
    static final Set<String> CONDITION =
            Set.of("lastProbeTime", "lastTransitionTime", "message", "observedGeneration", "reason", "status", "type");
    static final Set<String> POD_IP = Set.of("ip");
    static final Set<String> DEPLOYMENT_SPEC = Set.of(
            "minReadySeconds",
            "paused",
            "progressDeadlineSeconds",
            "replicas",
            "revisionHistoryLimit",
            "selector",
            "strategy",
            "template");
    static final Set<String> LABEL_SELECTOR = Set.of("matchExpressions", "matchLabels");
    static final Set<String> TEMPLATE = Set.of("metadata", "spec");
    static final Set<String> SERVICE_SPEC = Set.of(
            "allocateLoadBalancerNodePorts",
            "clusterIP",
            "clusterIPs",
            "externalIPs",
            "externalName",
            "externalTrafficPolicy",
            "healthCheckNodePort",
            "internalTrafficPolicy",
            "ipFamilies",
            "ipFamilyPolicy",
            "loadBalancerClass",
            "loadBalancerIP",
            "loadBalancerSourceRanges",
            "ports",
            "publishNotReadyAddresses",
            "selector",
            "sessionAffinity",
            "sessionAffinityConfig",
            "trafficDistribution",
            "type");
    static final Set<String> SERVICE_PORT = Set.of("appProtocol", "name", "nodePort", "port", "protocol", "targetPort");
    static final Set<String> WORKLOAD_SELECTOR = Set.of("matchLabels");
    static final Set<String> PEER_AUTHENTICATION = Set.of("mtls", "portLevelMtls", "selector");
    static final Set<String> MTLS = Set.of("mode");
    static final Set<String> AUTHORIZATION_POLICY =
            Set.of("action", "provider", "rules", "selector", "targetRef", "targetRefs");
    static final Set<String> TARGET_REF = Set.of("group", "kind", "name", "namespace");
    static final Set<String> RULE = Set.of("from", "to", "when");
    static final Set<String> FROM = Set.of("source");
    static final Set<String> TO = Set.of("operation");
    static final Set<String> WHEN = both(Set.of("key"), negatable("values"));
    static final Set<String> SOURCE = negatable(
            "ipBlocks",
            "namespaces",
            "principals",
            "remoteIpBlocks",
            "requestPrincipals",
            "serviceAccounts",
            "trustDomains");
    static final Set<String> OPERATION = negatable("hosts", "methods", "paths", "ports");

    static final Set<String> GATEWAY =
            Set.of("addresses", "allowedListeners", "gatewayClassName", "infrastructure", "listeners", "tls");
    static final Set<String> LISTENER = Set.of("allowedRoutes", "hostname", "name", "port", "protocol", "tls");
    static final Set<String> ALLOWED_ROUTES = Set.of("kinds", "namespaces");
    static final Set<String> ROUTE_NAMESPACES = Set.of("from", "selector");
    static final Set<String> HTTP_ROUTE = Set.of("hostnames", "parentRefs", "rules", "useDefaultGateways");
    static final Set<String> PARENT_REF = Set.of("group", "kind", "name", "namespace", "port", "sectionName");
    static final Set<String> ROUTE_RULE =
            Set.of("backendRefs", "filters", "matches", "name", "retry", "sessionPersistence", "timeouts");
    static final Set<String> ROUTE_MATCH = Set.of("headers", "method", "path", "queryParams");
    static final Set<String> TYPED_VALUE = Set.of("name", "type", "value");
    static final Set<String> ROUTE_FILTER = Set.of(
            "cors",
            "extensionRef",
            "externalAuth",
            "requestHeaderModifier",
            "requestMirror",
            "requestRedirect",
            "responseHeaderModifier",
            "type",
            "urlRewrite");
    static final Set<String> HEADER_FILTER = Set.of("add", "remove", "set");
    static final Set<String> HEADER = Set.of("name", "value");
    static final Set<String> REDIRECT_FILTER = Set.of("hostname", "path", "port", "scheme", "statusCode");
    static final Set<String> REWRITE_FILTER = Set.of("hostname", "path");
    static final Set<String> PATH_MODIFIER = Set.of("replaceFullPath", "replacePrefixMatch", "type");
    static final Set<String> BACKEND_REF = Set.of("filters", "group", "kind", "name", "namespace", "port", "weight");
    static final Set<String> TIMEOUTS = Set.of("backendRequest", "request");
    static final Set<String> ROUTE_RETRY = Set.of("attempts", "backoff", "codes");
    static final Set<String> VIRTUAL_SERVICE = Set.of("exportTo", "gateways", "hosts", "http", "tcp", "tls");
    static final Set<String> VS_HTTP = Set.of(
            "corsPolicy",
            "delegate",
            "directResponse",
            "fault",
            "headers",
            "match",
            "mirror",
            "mirrorPercent",
            "mirrorPercentage",
            "mirrors",
            "name",
            "redirect",
            "retries",
            "rewrite",
            "route",
            "timeout");
    static final Set<String> VS_MATCH = Set.of(
            "authority",
            "gateways",
            "headers",
            "ignoreUriCase",
            "method",
            "name",
            "port",
            "queryParams",
            "scheme",
            "sourceLabels",
            "sourceNamespace",
            "statPrefix",
            "uri",
            "withoutHeaders");
    static final Set<String> VS_STRING = Set.of("exact", "prefix", "regex");
    static final Set<String> VS_ROUTE = Set.of("destination", "headers", "weight");
    static final Set<String> VS_DESTINATION = Set.of("host", "port", "subset");
    static final Set<String> VS_PORT = Set.of("number");
    static final Set<String> VS_HEADERS = Set.of("request", "response");
    static final Set<String> VS_REDIRECT =
            Set.of("authority", "derivePort", "port", "prefixRewrite", "redirectCode", "scheme", "uri");
    static final Set<String> VS_REWRITE = Set.of("authority", "uri", "uriRegexRewrite");
    static final Set<String> VS_RETRIES = Set.of(
            "attempts", "backoff", "perTryTimeout", "retryIgnorePreviousHosts", "retryOn", "retryRemoteLocalities");
    static final Set<String> VS_RESPONSE = Set.of("body", "status");
    static final Set<String> VS_BODY = Set.of("bytes", "string");
    static final Set<String> DESTINATION_RULE =
            Set.of("exportTo", "host", "subsets", "trafficPolicy", "workloadSelector");
    static final Set<String> SUBSET = Set.of("labels", "name", "trafficPolicy");

    private KnownFields() {}

    /// The fields of every object, and some more.
    private static Set<String> object(String... more) {
        return both(Set.of("apiVersion", "kind", "metadata"), Set.of(more));
    }

    /// Each field, and the one that names what is not to match: `hosts`, `notHosts`.
    private static Set<String> negatable(String... names) {
        return Arrays.stream(names)
                .flatMap(name -> Stream.of(name, "not" + Character.toUpperCase(name.charAt(0)) + name.substring(1)))
                .collect(Collectors.toUnmodifiableSet());
    }

    private static Set<String> both(Set<String> some, Set<String> others) {
        return Stream.concat(some.stream(), others.stream()).collect(Collectors.toUnmodifiableSet());
    }
}
