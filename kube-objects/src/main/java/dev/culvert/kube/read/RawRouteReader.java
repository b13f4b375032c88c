package dev.culvert.kube.read;

import dev.culvert.kube.object.Kind;
import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.ParentRef;
import dev.culvert.kube.object.RawRoute;
import dev.culvert.kube.object.RawRule;
import dev.culvert.kube.object.ReferenceGrant;
import java.util.List;

/// Reads TCPRoutes, TLSRoutes and ReferenceGrants.
final class RawRouteReader {
    private RawRouteReader() {}

    static RawRoute route(Fields object, Metadata metadata, Kind kind) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.RAW_ROUTE);
        return new RawRoute(
                metadata,
                kind,
                HttpRouteReader.parents(spec, metadata, ParentRef::isGateway),
                kind == Kind.TLS_ROUTE ? Hostnames.all(spec, "hostnames") : List.of(),
                spec.children("rules").stream()
                        .map(rule -> rule.knowing(RouteFields.RAW_ROUTE_RULE))
                        .map(rule -> new RawRule(
                                List.of(),
                                rule.children("backendRefs").stream()
                                        .map(HttpRouteReader::backend)
                                        .toList(),
                                rule.place()))
                        .toList(),
                object.place());
    }

    static ReferenceGrant grant(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.REFERENCE_GRANT);
        return new ReferenceGrant(
                metadata,
                spec.children("from").stream()
                        .map(from -> from.knowing(RouteFields.GRANT_FROM))
                        .map(from -> new ReferenceGrant.From(
                                from.text("group", ""), from.requiredText("kind"), from.requiredText("namespace")))
                        .toList(),
                spec.children("to").stream()
                        .map(to -> to.knowing(RouteFields.GRANT_TO))
                        .map(to -> new ReferenceGrant.To(
                                to.text("group", ""), to.requiredText("kind"), to.text("name", "")))
                        .toList(),
                object.place());
    }
}
