package dev.culvert.waypoint.route;

import dev.culvert.protos.waypoint.Cors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which origins may read answers (the Fetch standard, "CORS protocol"), compiled. Immutable.
public final class CorsRule {
    private static final String ORIGIN = "origin";
    private static final String METHOD = "access-control-request-method";

    private final Cors cors;
    private final List<TextMatcher> origins;
    private final boolean anyMethod;
    private final boolean anyHeader;
    private final String methods;
    private final String headers;
    private final String exposed;

    /// @throws IllegalArgumentException for what cannot be understood
    CorsRule(Cors cors) {
        this.cors = cors;
        origins = cors.getOriginsList().stream().map(TextMatcher::new).toList();
        anyMethod = cors.getMethodsList().equals(List.of("*"));
        anyHeader = cors.getHeadersList().equals(List.of("*"));
        methods = String.join(",", cors.getMethodsList());
        headers = String.join(",", cors.getHeadersList());
        exposed = String.join(",", cors.getExposeHeadersList());
    }

    private static String one(RequestView request, String name) {
        var all = request.header(name);
        return all.size() == 1 ? all.getFirst() : "";
    }

    private boolean allows(String origin) {
        return !origin.isEmpty() && origins.stream().anyMatch(one -> one.matches(origin));
    }

    /// Whether it is a preflight that is answered here.
    public boolean answers(RequestView request) {
        return request.method().equals("OPTIONS")
                && !one(request, ORIGIN).isEmpty()
                && !one(request, METHOD).isEmpty()
                && (cors.getAnswerAllPreflights() || allows(one(request, ORIGIN)));
    }

    /// The headers of a preflight's answer.
    public Map<String, String> preflight(RequestView request) {
        var answer = new LinkedHashMap<String, String>();
        allowed(one(request, ORIGIN), answer);
        put(answer, "access-control-allow-methods", anyMethod ? one(request, METHOD) : methods);
        put(
                answer,
                "access-control-allow-headers",
                anyHeader ? String.join(",", request.header("access-control-request-headers")) : headers);
        put(answer, "access-control-expose-headers", exposed);
        if (cors.hasMaxAge()) {
            put(answer, "access-control-max-age", Long.toString(cors.getMaxAge().getSeconds()));
        }
        return answer;
    }

    /// What is added to an answer of the upstream's; empty for a request of another origin.
    public Map<String, String> added(RequestView request) {
        var origin = one(request, ORIGIN);
        if (!allows(origin)) {
            return Map.of();
        }
        var answer = new LinkedHashMap<String, String>();
        allowed(origin, answer);
        put(answer, "access-control-expose-headers", exposed);
        return answer;
    }

    private void allowed(String origin, Map<String, String> answer) {
        if (allows(origin)) {
            answer.put("access-control-allow-origin", origin);
            if (cors.getCredentials()) {
                answer.put("access-control-allow-credentials", "true");
            }
        }
    }

    private static void put(Map<String, String> answer, String name, String value) {
        if (!value.isEmpty()) {
            answer.put(name, value);
        }
    }
}
