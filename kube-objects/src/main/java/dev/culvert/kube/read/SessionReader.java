package dev.culvert.kube.read;

import dev.culvert.kube.object.HttpRule.Session;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads `sessionPersistence` of HTTPRoutes and GRPCRoutes (GEP-1619).
final class SessionReader {
    private static final Set<String> FIELDS =
            Set.of("absoluteTimeout", "cookieConfig", "idleTimeout", "sessionName", "type");
    private static final Map<String, Boolean> TYPES = Map.of("Cookie", true, "Header", false);
    private static final Map<String, Boolean> LIFETIMES = Map.of("Session", false, "Permanent", true);
    private static final String NAME = "culvert-session";

    private SessionReader() {}

    static Session session(Fields session) {
        session.knowing(FIELDS);
        var absolute = RuleFields.duration(session, "absoluteTimeout");
        if (session.has("idleTimeout")) {
            VirtualServiceReader.notYet(session, "idleTimeout", "a session ends by absoluteTimeout only");
        }
        if (!session.oneOf("type", TYPES).orElse(true)) {
            return header(session);
        }
        var config = session.childOrEmpty("cookieConfig").knowing(Set.of("lifetimeType"));
        var permanent = config.oneOf("lifetimeType", LIFETIMES).orElse(false);
        if (permanent && absolute.isEmpty()) {
            session.error(
                    "absoluteTimeout",
                    session.named("absoluteTimeout") + " is missing, which a permanent cookie needs",
                    "name it, or write lifetimeType: Session");
        }
        if (!permanent && absolute.isPresent()) {
            session.warning(
                    "absoluteTimeout",
                    session.named("absoluteTimeout")
                            + " has no effect on a cookie that ends with the browser's session",
                    "write cookieConfig: {lifetimeType: Permanent}");
        }
        return new Session(
                session.text("sessionName", NAME), false, permanent ? absolute.orElse(Duration.ZERO) : Duration.ZERO);
    }

    private static Session header(Fields session) {
        for (var name : List.of("absoluteTimeout", "cookieConfig")) {
            if (session.has(name)) {
                session.warning(
                        name,
                        session.named(name) + " has no effect on a session by a header, which ends with its endpoint",
                        "write type: Cookie, or remove it");
            }
        }
        return new Session(
                RuleFields.headerName(session, "sessionName", session.text("sessionName", NAME)), true, Duration.ZERO);
    }
}
