package dev.culvert.kube.read;

import dev.culvert.kube.object.IstioGateway;
import dev.culvert.kube.object.IstioGateway.Host;
import dev.culvert.kube.object.IstioGateway.Protocol;
import dev.culvert.kube.object.IstioGateway.Server;
import dev.culvert.kube.object.IstioGateway.Tls;
import dev.culvert.kube.object.IstioGateway.TlsMode;
import dev.culvert.kube.object.Metadata;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads Gateways of Istio. What is not supported and would keep somebody out closes its server; the others stay.
final class IstioGatewayReader {
    private static final Map<String, Protocol> PROTOCOLS = Map.of(
            "HTTP",
            Protocol.HTTP,
            "HTTP2",
            Protocol.HTTP,
            "GRPC",
            Protocol.HTTP,
            "HTTPS",
            Protocol.HTTPS,
            "TLS",
            Protocol.TLS,
            "TCP",
            Protocol.TCP);
    /// Older versions than we speak are raised to the least that we do.
    private static final Map<String, String> VERSIONS =
            Map.of("TLS_AUTO", "", "TLSV1_0", "", "TLSV1_1", "", "TLSV1_2", "TLSv1.2", "TLSV1_3", "TLSv1.3");
    /// Each lets fewer clients in.
    private static final List<String> CLOSING =
            List.of("verifyCertificateSpki", "verifyCertificateHash", "caCrl", "insecureSkipVerify");
    /// Files in the pods.
    private static final List<String> FILES =
            List.of("serverCertificate", "privateKey", "caCertificates", "tlsCertificates");

    private IstioGatewayReader() {}

    static IstioGateway gateway(Fields object, Metadata metadata) {
        object.knowing(KnownFields.OBJECT_SPEC);
        var spec = object.childOrEmpty("spec").knowing(RouteFields.ISTIO_GATEWAY);
        var servers = spec.children("servers").stream()
                .map(server -> server(server, metadata))
                .toList();
        if (servers.isEmpty()) {
            spec.error("servers", spec.named("servers") + " is missing", "write a port and hosts");
        }
        return new IstioGateway(metadata, spec.textMap("selector"), servers, object.place());
    }

    private static Server server(Fields server, Metadata metadata) {
        server.knowing(RouteFields.ISTIO_SERVER);
        var port = server.childOrEmpty("port").knowing(RouteFields.ISTIO_PORT);
        var number = port.integer("number", 1, 65535).orElse(0);
        if (!port.has("number")) {
            port.error("number", port.named("number") + " is missing", "add it");
        }
        var word = port.requiredText("protocol").toUpperCase(Locale.ROOT);
        var protocol = PROTOCOLS.getOrDefault(word, Protocol.TCP);
        var hosts = server.parsedList("hosts", "a host, or namespace/host", text -> host(text, metadata.namespace()));
        if (hosts.isEmpty()) {
            server.error("hosts", server.named("hosts") + " is missing", "name a host, or \"*\"");
        }
        var tls = server.child("tls").map(IstioGatewayReader::tls);
        var name = server.text("name", port.text("name", ""));
        return new Server(
                name.isEmpty() ? "port " + number : name + " (port " + number + ")",
                number,
                protocol,
                hosts,
                tls,
                broken(server, word, protocol, tls),
                server.place());
    }

    /// `host`, `namespace/host`, `./host`, `*/host`; a host of `*` is all.
    private static Host host(String text, String own) {
        var slash = text.indexOf('/');
        var namespace = slash < 0 ? "*" : text.substring(0, slash);
        var name = text.substring(slash + 1);
        if (namespace.isEmpty() || name.isEmpty() || name.indexOf('/') >= 0) {
            throw new IllegalArgumentException(text);
        }
        return new Host(namespace.equals(".") ? own : namespace, name.equals("*") ? "" : Hostnames.parse(name));
    }

    private static Tls tls(Fields tls) {
        tls.knowing(RouteFields.ISTIO_TLS);
        if (tls.has("cipherSuites")) {
            tls.warning(
                    "cipherSuites",
                    tls.named("cipherSuites") + " is not supported yet and is ignored: all suites with"
                            + " forward secrecy and authenticated encryption are offered",
                    "remove it");
        }
        var credentials = new ArrayList<String>();
        tls.text("credentialName").ifPresent(credentials::add);
        credentials.addAll(tls.texts("credentialNames"));
        return new Tls(
                tls.flag("httpsRedirect"),
                mode(tls).orElse(TlsMode.PASSTHROUGH),
                credentials,
                tls.text("caCertCredentialName"),
                tls.oneOf("minProtocolVersion", VERSIONS).orElse(""),
                tls.oneOf("maxProtocolVersion", VERSIONS).orElse(""),
                tls.texts("subjectAltNames"));
    }

    private static Optional<TlsMode> mode(Fields tls) {
        return tls.text("mode")
                .flatMap(word -> Stream.of(TlsMode.values())
                        .filter(mode -> mode.name().equals(word))
                        .findFirst());
    }

    /// Why nothing of it is served; else empty.
    private static String broken(Fields server, String word, Protocol protocol, Optional<Tls> tls) {
        for (var field : List.of("bind", "defaultEndpoint")) {
            if (server.has(field)) {
                return field + " is not supported: remove it";
            }
        }
        if (!PROTOCOLS.containsKey(word)) {
            return "protocol " + word + " is not served: write HTTP, HTTPS, TLS or TCP";
        }
        if (protocol != Protocol.HTTPS && protocol != Protocol.TLS) {
            return "";
        }
        if (tls.isEmpty()) {
            return "protocol " + word + " needs tls: write its mode";
        }
        var said = server.childOrEmpty("tls");
        if (said.has("mode") && mode(said).isEmpty()) {
            return "tls.mode " + said.text("mode", "") + " is not served: write SIMPLE, MUTUAL, OPTIONAL_MUTUAL or"
                    + " PASSTHROUGH";
        }
        for (var field : FILES) {
            if (said.has(field)) {
                return "tls." + field + " names files, which are not read: write tls.credentialName";
            }
        }
        for (var field : CLOSING) {
            if (said.has(field)) {
                return "tls." + field + " is not supported: clients would be judged without it";
            }
        }
        return tls.get().mode() != TlsMode.PASSTHROUGH
                        && tls.get().credentials().isEmpty()
                ? "tls.mode " + tls.get().mode() + " needs tls.credentialName, the name of a Secret"
                : "";
    }
}
