package dev.culvert.kube.read;

import dev.culvert.kube.object.HttpRule.Cors;
import dev.culvert.kube.object.HttpRule.Extras;
import dev.culvert.kube.object.HttpRule.Fault;
import dev.culvert.kube.object.HttpRule.Mirror;
import dev.culvert.kube.object.HttpRule.Text;
import dev.culvert.kube.object.HttpRule.TextKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Reads faults, mirrors and CORS of a VirtualService's HTTP rules.
final class VirtualServiceExtras {
    /// Parts of one percent in a million.
    private static final int PERCENT = 10_000;
    static final int ALL = 100 * PERCENT;
    private static final Map<String, Boolean> UNMATCHED =
            Map.of("UNSPECIFIED", false, "FORWARD", false, "IGNORE", true);
    /// gRPC's own, by number.
    private static final List<String> GRPC_CODES = List.of(
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED");

    private VirtualServiceExtras() {}

    static Extras extras(Fields rule) {
        return new Extras(
                rule.child("fault").map(VirtualServiceExtras::fault),
                mirrors(rule),
                rule.child("corsPolicy").map(VirtualServiceExtras::cors),
                Optional.empty());
    }

    // ---- faults ----

    private static Fault fault(Fields fault) {
        fault.knowing(RouteFields.VS_FAULT);
        var delay = fault.childOrEmpty("delay").knowing(RouteFields.VS_DELAY);
        var abort = fault.childOrEmpty("abort").knowing(RouteFields.VS_ABORT);
        for (var field : List.of("exponentialDelay", "http2Error")) {
            for (var part : List.of(delay, abort)) {
                if (part.has(field)) {
                    VirtualServiceReader.notYet(part, field, "it has no effect");
                }
            }
        }
        var fixed = RuleFields.duration(delay, "fixedDelay");
        var status = abort.integer("httpStatus", 200, 599);
        var grpc = abort.parsed("grpcStatus", "a gRPC code such as UNAVAILABLE", VirtualServiceExtras::grpcCode);
        return new Fault(
                fixed.orElse(Duration.ZERO),
                fixed.isPresent() ? share(fault, "delay", delay) : 0,
                status.orElse(0),
                grpc,
                status.isPresent() || grpc.isPresent() ? share(fault, "abort", abort) : 0);
    }

    private static int grpcCode(String text) {
        var number = GRPC_CODES.indexOf(text.toUpperCase(Locale.ROOT));
        if (number >= 0) {
            return number;
        }
        var code = Integer.parseInt(text);
        if (code < 0 || code >= GRPC_CODES.size()) {
            throw new IllegalArgumentException(text);
        }
        return code;
    }

    private static int share(Fields parent, String name, Fields of) {
        var share =
                share(of, "percentage").or(() -> of.integer("percent", 0, 100).map(percent -> percent * PERCENT));
        if (share.isEmpty()) {
            parent.warning(
                    name,
                    of.named("percentage") + " is missing: it happens to no request",
                    "add percentage: {value: 5}");
        }
        return share.orElse(0);
    }

    /// Truncated, as Istio does.
    private static Optional<Integer> share(Fields of, String field) {
        return of.child(field)
                .map(percent -> percent.knowing(RouteFields.VS_PERCENT))
                .map(percent -> (int) (percent.number("value", 0, 100).orElse(0.0) * PERCENT));
    }

    // ---- mirrors ----

    private static List<Mirror> mirrors(Fields rule) {
        var found = new ArrayList<Mirror>();
        var share = share(rule, "mirrorPercentage")
                .or(() -> rule.integer("mirrorPercent", 0, 100).map(percent -> percent * PERCENT))
                .orElse(ALL);
        rule.child("mirror").ifPresent(to -> found.add(new Mirror(VirtualServiceActions.to(to), share)));
        for (var mirror : rule.children("mirrors")) {
            mirror.knowing(RouteFields.VS_MIRROR);
            found.add(new Mirror(
                    VirtualServiceActions.to(mirror.childOrEmpty("destination")),
                    share(mirror, "percentage").orElse(ALL)));
        }
        return found.stream().filter(mirror -> mirror.share() > 0).toList();
    }

    // ---- CORS ----

    private static Cors cors(Fields cors) {
        cors.knowing(RouteFields.VS_CORS);
        var origins = new ArrayList<Text>();
        cors.children("allowOrigins").forEach(origin -> origins.add(origin(VirtualServiceMatches.text(origin))));
        cors.texts("allowOrigin").forEach(origin -> origins.add(origin(new Text(TextKind.EXACT, origin))));
        return new Cors(
                origins,
                cors.texts("allowMethods"),
                cors.texts("allowHeaders"),
                cors.texts("exposeHeaders"),
                RuleFields.duration(cors, "maxAge"),
                cors.flag("allowCredentials"),
                cors.oneOf("unmatchedPreflights", UNMATCHED).orElse(false));
    }

    private static Text origin(Text text) {
        return text.kind() == TextKind.EXACT && text.value().equals("*") ? new Text(TextKind.PRESENT, "") : text;
    }
}
