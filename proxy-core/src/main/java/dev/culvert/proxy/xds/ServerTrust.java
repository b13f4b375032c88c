package dev.culvert.proxy.xds;

import dev.culvert.mesh.model.workload.Addresses;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Locale;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/// Whether a server's certificate leads to a root and has the name that was dialled, or else a second name that was
/// configured (`ALT_XDS_HOSTNAME`, `ALT_CA_HOSTNAME`). Thread-safe.
final class ServerTrust extends X509ExtendedTrustManager {
    private static final int DNS = 2;
    private static final int IP = 7;

    private final X509ExtendedTrustManager chains;
    private final String secondName;

    private ServerTrust(X509ExtendedTrustManager chains, String secondName) {
        this.chains = chains;
        this.secondName = secondName;
    }

    /// @param roots PEM, or null for those of the Java runtime
    /// @param secondName empty for none
    static ServerTrust of(@Nullable InputStream roots, String secondName) throws IOException {
        try {
            var factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(roots == null ? null : store(roots));
            for (var manager : factory.getTrustManagers()) {
                if (manager instanceof X509ExtendedTrustManager chains) {
                    return new ServerTrust(chains, secondName);
                }
            }
            throw new IOException("the Java runtime has no X.509 trust manager");
        } catch (GeneralSecurityException e) {
            throw new IOException("roots of the control plane: " + e.getMessage(), e);
        }
    }

    private static KeyStore store(InputStream roots) throws GeneralSecurityException, IOException {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        var number = 0;
        for (var root : CertificateFactory.getInstance("X.509").generateCertificates(roots)) {
            store.setCertificateEntry("root-" + number++, root);
        }
        if (number == 0) {
            throw new IOException("no certificate among the roots of the control plane");
        }
        return store;
    }

    /// The engine knows the dialled name, and has the JDK compare it (RFC 9525).
    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        try {
            chains.checkServerTrusted(chain, authType, engine);
        } catch (CertificateException notTheDialledName) {
            if (secondName.isEmpty() || !hasName(chain[0], secondName)) {
                throw notTheDialledName;
            }
            chains.checkServerTrusted(chain, authType);
        }
    }

    private static boolean hasName(X509Certificate leaf, String wanted) throws CertificateException {
        var names = leaf.getSubjectAlternativeNames();
        if (names == null) {
            return false;
        }
        var address = Addresses.parse(wanted);
        for (var name : names) {
            if (name.get(1) instanceof String text) {
                var matches =
                        switch ((Integer) name.getFirst()) {
                            case DNS -> address.isEmpty() && matches(text, wanted);
                            case IP ->
                                address.isPresent() && Addresses.parse(text).equals(address);
                            default -> false;
                        };
                if (matches) {
                    return true;
                }
            }
        }
        return false;
    }

    /// A wildcard stands for exactly the first label (RFC 9525 §6.3).
    private static boolean matches(String pattern, String name) {
        var lower = name.toLowerCase(Locale.ROOT);
        var wanted = pattern.toLowerCase(Locale.ROOT);
        var dot = lower.indexOf('.');
        return wanted.startsWith("*.")
                ? dot > 0 && lower.substring(dot).equals(wanted.substring(1))
                : wanted.equals(lower);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("a server is checked together with its name");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("a server is checked together with its engine");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("this is a client");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("this is a client");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("this is a client");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return chains.getAcceptedIssuers();
    }
}
