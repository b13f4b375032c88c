package dev.culvert.kube.read;

import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.TlsSecret;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/// Reads Secrets with certificates. No message repeats what is in one.
final class SecretReader {
    private static final String CERTIFICATE = "tls.crt";
    private static final String KEY = "tls.key";
    /// Each entry by the name that Kubernetes gives it, and the one that Istio also knows.
    private static final List<String> CERTIFICATES = List.of(CERTIFICATE, "cert");

    private static final List<String> KEYS = List.of(KEY, "key");
    private static final List<String> AUTHORITIES = List.of("ca.crt", "cacert");
    /// As the API server's, of a whole Secret.
    private static final int MAX_CHARACTERS = 1 << 20;

    private SecretReader() {}

    /// Whether it is one of those that we read: Secrets are of many types.
    static boolean isOne(Fields object) {
        var type = object.text("type", "");
        return type.equals(TlsSecret.TYPE)
                || (TlsSecret.GENERIC.contains(type)
                        && (hasPair(object) || AUTHORITIES.stream().anyMatch(name -> has(object, name))));
    }

    private static boolean hasPair(Fields object) {
        return (has(object, CERTIFICATE) && has(object, KEY)) || (has(object, "cert") && has(object, "key"));
    }

    private static boolean has(Fields object, String name) {
        return object.childOrEmpty("data").has(name)
                || object.childOrEmpty("stringData").has(name);
    }

    static TlsSecret secret(Fields object, Metadata metadata) {
        object.knowing(KnownFields.SECRET);
        var type = object.text("type", "");
        if (type.equals(TlsSecret.TYPE)) {
            require(object, CERTIFICATE);
            require(object, KEY);
        }
        return new TlsSecret(
                metadata,
                type,
                first(object, CERTIFICATES),
                first(object, KEYS),
                first(object, AUTHORITIES),
                object.place());
    }

    private static void require(Fields object, String name) {
        if (!has(object, name)) {
            object.error("data", "a Secret of type " + TlsSecret.TYPE + " has no " + name, "write data: " + name);
        }
    }

    private static String first(Fields object, List<String> names) {
        return names.stream()
                .filter(name -> has(object, name))
                .findFirst()
                .map(name -> entry(object, name))
                .orElse("");
    }

    /// What is written as text wins, as it does for the API server.
    private static String entry(Fields object, String name) {
        var text = object.textMap("stringData").getOrDefault(name, "");
        var encoded = object.textMap("data").getOrDefault(name, "");
        if (text.isEmpty() && encoded.isEmpty()) {
            object.error("data", "the Secret's " + name + " is empty", "write data: " + name);
            return "";
        }
        if (text.length() > MAX_CHARACTERS || encoded.length() > MAX_CHARACTERS) {
            object.error("data", name + " is larger than 1 MiB", "write the certificate and its chain only");
            return "";
        }
        try {
            return text.isEmpty()
                    ? new String(Base64.getMimeDecoder().decode(encoded), StandardCharsets.ISO_8859_1)
                    : text;
        } catch (IllegalArgumentException _) {
            object.error("data", name + " is not base64", "encode it, or write it under stringData");
            return "";
        }
    }
}
