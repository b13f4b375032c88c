package dev.culvert.waypoint.edge;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;

/// What a client's certificate, which was verified, says of it.
/// @param names of all kinds, as text
record ClientCertificate(String hash, String subject, List<String> uris, List<String> hosts, Set<String> names) {
    /// What upstreams read as a header is bounded, and so is what clients write into certificates.
    private static final int MAX_HEADER = 4096;

    ClientCertificate {
        uris = List.copyOf(uris);
        hosts = List.copyOf(hosts);
        names = Set.copyOf(names);
    }

    static ClientCertificate of(X509Certificate certificate) {
        try {
            var uris = new ArrayList<String>();
            var hosts = new ArrayList<String>();
            var others = new ArrayList<String>();
            var all = GeneralNames.fromExtensions(
                    new JcaX509CertificateHolder(certificate).getExtensions(), Extension.subjectAlternativeName);
            for (var name : all == null ? new GeneralName[0] : all.getNames()) {
                var text = name.getName().toString();
                switch (name.getTagNo()) {
                    case GeneralName.uniformResourceIdentifier -> uris.add(text);
                    case GeneralName.dNSName -> hosts.add(text);
                    case GeneralName.rfc822Name -> others.add(text);
                    default -> {
                        // nobody asks for it
                    }
                }
            }
            var names = Stream.of(uris, hosts, others).flatMap(List::stream).toList();
            return new ClientCertificate(
                    HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded())),
                    certificate.getSubjectX500Principal().getName(),
                    uris,
                    hosts,
                    Set.copyOf(names));
        } catch (CertificateEncodingException | NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible); // it was read from this form
        }
    }

    /// Whether it has one of these names.
    /// @param wanted none: any will do
    boolean hasOne(List<String> wanted) {
        return wanted.isEmpty() || wanted.stream().anyMatch(names::contains);
    }

    /// As Envoy writes `x-forwarded-client-cert`. What cannot stand in a header is left out; what is too long is, too,
    /// but for the hash.
    String header() {
        var text = new StringBuilder("Hash=").append(hash);
        add(text, "Subject", subject, true);
        uris.forEach(uri -> add(text, "URI", uri, false));
        hosts.forEach(host -> add(text, "DNS", host, false));
        return text.length() <= MAX_HEADER ? text.toString() : "Hash=" + hash;
    }

    private static void add(StringBuilder to, String key, String value, boolean quoted) {
        if (value.isEmpty() || value.chars().anyMatch(c -> c < ' ' || c > '~')) {
            return;
        }
        to.append(';').append(key).append('=');
        if (quoted || value.chars().anyMatch(c -> ",;=\"\\ ".indexOf(c) >= 0)) {
            to.append('"')
                    .append(value.replace("\\", "\\\\").replace("\"", "\\\""))
                    .append('"');
        } else {
            to.append(value);
        }
    }
}
