package dev.culvert.waypoint;

import dev.culvert.waypoint.route.RequestView;
import java.util.List;
import java.util.Map;

/// A request as a value, of pod `p1` in namespace `quay`.
/// @param claims of its token; none: it has no token
public record TestRequest(
        String method,
        String authority,
        String path,
        String query,
        Map<String, List<String>> headers,
        Map<String, List<String>> claims)
        implements RequestView {
    public TestRequest(String method, String authority, String path, String query, Map<String, List<String>> headers) {
        this(method, authority, path, query, headers, Map.of());
    }

    public static TestRequest of(String method, String path) {
        return new TestRequest(method, "berth:8080", path, "", Map.of());
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public List<String> header(String name) {
        return headers.getOrDefault(name, List.of());
    }

    @Override
    public String callerNamespace() {
        return "quay";
    }

    @Override
    public String callerWorkload() {
        return "p1";
    }

    @Override
    public String requestPrincipal() {
        return claims.isEmpty()
                ? ""
                : String.join("/", claim(List.of("iss"))) + "/" + String.join("", claim(List.of("sub")));
    }

    @Override
    public List<String> claim(List<String> path) {
        return claims.getOrDefault(String.join(".", path), List.of());
    }
}
