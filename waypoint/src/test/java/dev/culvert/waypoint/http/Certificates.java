package dev.culvert.waypoint.http;

import com.google.protobuf.ByteString;
import dev.culvert.protos.waypoint.ServerCertificate;
import java.io.IOException;
import java.math.BigInteger;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// Certificates of servers, signed by themselves.
record Certificates(X509Certificate certificate, ServerCertificate sent) {
    static Certificates of(String host) throws Exception {
        return of(host, new GeneralName(GeneralName.dNSName, host));
    }

    /// @param name what the certificate is for, of any kind
    static Certificates of(String common, GeneralName name) throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        var key = generator.generateKeyPair();
        var now = Instant.now();
        var subject = new X500Name("CN=" + common.replace('*', '_'));
        var builder = new JcaX509v3CertificateBuilder(
                subject,
                new BigInteger(64, new SecureRandom()),
                Date.from(now.minus(Duration.ofMinutes(1))),
                Date.from(now.plus(Duration.ofHours(1))),
                subject,
                key.getPublic());
        builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(name));
        var certificate = new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate())));
        return new Certificates(
                certificate,
                ServerCertificate.newBuilder()
                        .addChain(ByteString.copyFrom(certificate.getEncoded()))
                        .setPrivateKey(ByteString.copyFrom(key.getPrivate().getEncoded()))
                        .build());
    }

    /// Ends TLS on a connection that was taken.
    SSLSocket serve(Socket socket) throws IOException {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(keys(), null, null);
            var secured = (SSLSocket) context.getSocketFactory().createSocket(socket, "", 0, true);
            secured.setUseClientMode(false);
            return secured;
        } catch (GeneralSecurityException unusable) {
            throw new IOException(unusable);
        }
    }

    /// For whoever shows it.
    KeyManager[] keys() throws GeneralSecurityException, IOException {
        var key = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(sent.getPrivateKey().toByteArray()));
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("a", key, new char[0], new X509Certificate[] {certificate});
        var keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, new char[0]);
        return keys.getKeyManagers();
    }
}
