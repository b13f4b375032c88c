package dev.culvert.kube.read;

import java.util.Set;

/// The field names of Gateways, routes and what belongs to them.
final class RouteFields {
    static final Set<String> GATEWAY =
            Set.of("addresses", "allowedListeners", "gatewayClassName", "infrastructure", "listeners", "tls");
    static final Set<String> INFRASTRUCTURE = Set.of("annotations", "labels", "parametersRef");
    static final Set<String> PARAMETERS_REF = Set.of("group", "kind", "name");
    static final Set<String> GATEWAY_CLASS = Set.of("controllerName", "description", "parametersRef");
    static final Set<String> LISTENER = Set.of("allowedRoutes", "hostname", "name", "port", "protocol", "tls");
    static final Set<String> LISTENER_TLS = Set.of("certificateRefs", "frontendValidation", "mode", "options");
    static final Set<String> SECRET_REF = Set.of("group", "kind", "name", "namespace");
    static final Set<String> GATEWAY_TLS = Set.of("backend", "frontend");
    static final Set<String> FRONTEND = Set.of("default", "perPort");
    static final Set<String> FRONTEND_PORT = Set.of("port", "tls");
    static final Set<String> FRONTEND_TLS = Set.of("validation");
    static final Set<String> VALIDATION = Set.of("caCertificateRefs", "mode");
    static final Set<String> REQUIREMENT = Set.of("key", "operator", "values");
    static final Set<String> ROUTE_KIND = Set.of("group", "kind");
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
    static final Set<String> ISTIO_GATEWAY = Set.of("selector", "servers");
    static final Set<String> ISTIO_SERVER = Set.of("bind", "defaultEndpoint", "hosts", "name", "port", "tls");
    static final Set<String> ISTIO_PORT = Set.of("name", "number", "protocol", "targetPort");
    static final Set<String> ISTIO_TLS = Set.of(
            "caCertCredentialName",
            "caCertificates",
            "caCrl",
            "cipherSuites",
            "credentialName",
            "credentialNames",
            "httpsRedirect",
            "insecureSkipVerify",
            "maxProtocolVersion",
            "minProtocolVersion",
            "mode",
            "privateKey",
            "serverCertificate",
            "subjectAltNames",
            "tlsCertificates",
            "verifyCertificateHash",
            "verifyCertificateSpki");
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
    static final Set<String> VS_FAULT = Set.of("abort", "delay");
    static final Set<String> VS_DELAY = Set.of("exponentialDelay", "fixedDelay", "percent", "percentage");
    static final Set<String> VS_ABORT = Set.of("grpcStatus", "http2Error", "httpStatus", "percentage");
    static final Set<String> VS_PERCENT = Set.of("value");
    static final Set<String> VS_MIRROR = Set.of("destination", "percentage");
    static final Set<String> VS_CORS = Set.of(
            "allowCredentials",
            "allowHeaders",
            "allowMethods",
            "allowOrigin",
            "allowOrigins",
            "exposeHeaders",
            "maxAge",
            "unmatchedPreflights");
    static final Set<String> VS_DELEGATE = Set.of("name", "namespace");
    static final Set<String> VS_REGEX_REWRITE = Set.of("match", "rewrite");
    static final Set<String> VS_RAW = Set.of("match", "route");
    static final Set<String> VS_RAW_ROUTE = Set.of("destination", "weight");
    static final Set<String> VS_TCP_MATCH =
            Set.of("destinationSubnets", "gateways", "port", "sourceLabels", "sourceNamespace", "sourceSubnet");
    static final Set<String> VS_TLS_MATCH =
            Set.of("destinationSubnets", "gateways", "port", "sniHosts", "sourceLabels", "sourceNamespace");
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
    static final Set<String> TRAFFIC_POLICY = Set.of(
            "connectionPool",
            "loadBalancer",
            "outlierDetection",
            "portLevelSettings",
            "proxyProtocol",
            "retryBudget",
            "tls",
            "tunnel");
    static final Set<String> PORT_POLICY = Set.of("connectionPool", "loadBalancer", "outlierDetection", "port", "tls");
    static final Set<String> LOAD_BALANCER = Set.of(
            "backendUtilization",
            "consistentHash",
            "localityLbSetting",
            "simple",
            "warmup",
            "warmupDurationSecs",
            "zoneAwareLbSetting");
    static final Set<String> CONSISTENT_HASH = Set.of(
            "httpCookie",
            "httpHeaderName",
            "httpQueryParameterName",
            "maglev",
            "minimumRingSize",
            "ringHash",
            "useSourceIp");
    static final Set<String> COOKIE = Set.of("attributes", "name", "path", "ttl");
    static final Set<String> RING = Set.of("minimumRingSize");
    static final Set<String> MAGLEV = Set.of("tableSize");
    static final Set<String> WARMUP = Set.of("aggression", "duration", "minimumPercent");
    static final Set<String> LOCALITY = Set.of("distribute", "enabled", "failover", "failoverPriority");
    static final Set<String> FROM_TO = Set.of("from", "to");
    static final Set<String> POOL = Set.of("http", "tcp");
    static final Set<String> TCP_POOL =
            Set.of("connectTimeout", "idleTimeout", "maxConnectionDuration", "maxConnections", "tcpKeepalive");
    static final Set<String> HTTP_POOL = Set.of(
            "h2UpgradePolicy",
            "http1MaxPendingRequests",
            "http2KeepAlive",
            "http2MaxRequests",
            "idleTimeout",
            "maxConcurrentStreams",
            "maxRequestsPerConnection",
            "maxRetries",
            "useClientProtocol");
    static final Set<String> OUTLIER = Set.of(
            "baseEjectionTime",
            "consecutive5xxErrors",
            "consecutiveErrors",
            "consecutiveGatewayErrors",
            "consecutiveLocalOriginFailures",
            "interval",
            "maxEjectionPercent",
            "minHealthPercent",
            "outlierDetectionHttpErrorCodes",
            "splitExternalLocalOriginErrors");
    static final Set<String> RETRY_BUDGET = Set.of("budgetInterval", "minRetryConcurrency", "percent");
    static final Set<String> REFERENCE_GRANT = Set.of("from", "to");
    static final Set<String> GRANT_FROM = Set.of("group", "kind", "namespace");
    static final Set<String> GRANT_TO = Set.of("group", "kind", "name");
    static final Set<String> RAW_ROUTE = Set.of("hostnames", "parentRefs", "rules", "useDefaultGateways");
    static final Set<String> RAW_ROUTE_RULE = Set.of("backendRefs", "name");
    static final Set<String> GRPC_METHOD = Set.of("method", "service", "type");
    static final Set<String> GRPC_MATCH = Set.of("headers", "method");
    static final Set<String> MIRROR_FILTER = Set.of("backendRef", "fraction", "percent");
    static final Set<String> FRACTION = Set.of("denominator", "numerator");
    static final Set<String> CORS_FILTER =
            Set.of("allowCredentials", "allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders", "maxAge");
    static final Set<String> REQUEST_AUTHENTICATION = Set.of("jwtRules", "selector", "targetRef", "targetRefs");
    static final Set<String> JWT_RULE = Set.of(
            "audiences",
            "forwardOriginalToken",
            "fromCookies",
            "fromHeaders",
            "fromParams",
            "issuer",
            "jwks",
            "jwksUri",
            "outputClaimToHeaders",
            "outputPayloadToHeader",
            "presence",
            "spaceDelimitedClaims",
            "timeout");
    static final Set<String> JWT_HEADER = Set.of("name", "prefix");
    static final Set<String> CLAIM_HEADER = Set.of("claim", "header");

    private RouteFields() {}
}
