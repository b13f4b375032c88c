package dev.culvert.kube.read;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The field names of the Kubernetes and Istio APIs, where we look at all.
final class KnownFields {
    static final Set<String> OBJECT_SPEC = object("spec", "status");
    static final Set<String> SECRET = object("data", "immutable", "stringData", "type");
    static final Set<String> CONFIG_MAP = object("binaryData", "data", "immutable");
    static final Set<String> WEBHOOKS = object("webhooks");
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
    static final Set<String> LIFECYCLE = Set.of("postStart", "preStop", "stopSignal");
    static final Set<String> HOOK = Set.of("exec", "httpGet", "sleep", "tcpSocket");
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

    static final Set<String> SERVICE_ENTRY = Set.of(
            "addresses",
            "endpoints",
            "exportTo",
            "hosts",
            "location",
            "ports",
            "resolution",
            "subjectAltNames",
            "workloadSelector");
    static final Set<String> ENTRY_PORT = Set.of("name", "number", "protocol", "targetPort");
    static final Set<String> ENTRY_SELECTOR = Set.of("labels");
    static final Set<String> WORKLOAD_ENTRY =
            Set.of("address", "labels", "locality", "network", "ports", "serviceAccount", "weight");

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
