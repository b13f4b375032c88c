package dev.culvert.waypoint;

import dev.culvert.waypoint.route.RequestView;
import java.util.List;
import java.util.Map;

/// A request as a value.
public record TestRequest(String method, String authority, String path, String query, Map<String, List<String>> headers)
        implements RequestView {
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
}
