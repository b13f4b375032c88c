package dev.culvert.kube.read;

import dev.culvert.kube.object.Metadata;
import dev.culvert.kube.object.TlsSecret;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// Reads Secrets of type `kubernetes.io/tls`. No message repeats what is in one.
final class SecretReader {
    private static final String CERTIFICATE = "tls.crt";
    private static final String KEY = "tls.key";
    /// As the API server's, of a whole Secret.
    private static final int MAX_CHARACTERS = 1 << 20;

    private SecretReader() {}

    static TlsSecret secret(Fields object, Metadata metadata) {
        object.knowing(KnownFields.SECRET);
        return new TlsSecret(metadata, entry(object, CERTIFICATE), entry(object, KEY), object.place());
    }

    /// What is written as text wins, as it does for the API server.
    private static String entry(Fields object, String name) {
        var text = object.textMap("stringData").getOrDefault(name, "");
        var encoded = object.textMap("data").getOrDefault(name, "");
        if (text.isEmpty() && encoded.isEmpty()) {
            object.error("data", "a Secret of type " + TlsSecret.TYPE + " has no " + name, "write data: " + name);
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
