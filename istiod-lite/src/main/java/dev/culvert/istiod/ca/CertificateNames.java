package dev.culvert.istiod.ca;

import dev.culvert.mesh.model.identity.SpiffeId;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.jspecify.annotations.Nullable;

/// Whom a certificate is for (RFC 5280 §4.2.1.6): nothing else may stand in it.
///
/// @param addresses in their canonical text
public record CertificateNames(Set<String> uris, Set<String> dnsNames, Set<String> addresses) {
    public CertificateNames {
        uris = Set.copyOf(uris);
        dnsNames = Set.copyOf(dnsNames);
        addresses = Set.copyOf(addresses);
    }

    /// Of a workload.
    public static CertificateNames of(SpiffeId identity) {
        return new CertificateNames(Set.of(identity.toString()), Set.of(), Set.of());
    }

    /// Of a server that callers know by these.
    static CertificateNames of(Collection<String> dnsNames, Collection<InetAddress> addresses) {
        var texts = new HashSet<String>();
        addresses.forEach(ip -> texts.add(ip.getHostAddress()));
        return new CertificateNames(Set.of(), new HashSet<>(dnsNames), texts);
    }

    static CertificateNames in(X509Certificate certificate) throws GeneralSecurityException {
        return in(new JcaX509CertificateHolder(certificate).getExtensions());
    }

    /// @throws GeneralSecurityException if there is a name of another kind
    static CertificateNames in(@Nullable Extensions extensions) throws GeneralSecurityException {
        var found =
                extensions == null ? null : GeneralNames.fromExtensions(extensions, Extension.subjectAlternativeName);
        var uris = new HashSet<String>();
        var dnsNames = new HashSet<String>();
        var addresses = new HashSet<String>();
        for (var name : found == null ? new GeneralName[0] : found.getNames()) {
            switch (name.getTagNo()) {
                case GeneralName.uniformResourceIdentifier ->
                    uris.add(name.getName().toString());
                case GeneralName.dNSName -> dnsNames.add(name.getName().toString());
                case GeneralName.iPAddress -> addresses.add(address(name));
                default ->
                    throw new GeneralSecurityException("there is a name that is no URI, host or address: " + name);
            }
        }
        return new CertificateNames(uris, dnsNames, addresses);
    }

    private static String address(GeneralName name) throws GeneralSecurityException {
        try {
            return InetAddress.getByAddress(
                            ASN1OctetString.getInstance(name.getName()).getOctets())
                    .getHostAddress();
        } catch (UnknownHostException wrong) {
            throw new GeneralSecurityException("an address of a wrong length", wrong);
        }
    }

    GeneralNames asn1() {
        var all = new ArrayList<GeneralName>();
        new TreeSet<>(uris).forEach(uri -> all.add(new GeneralName(GeneralName.uniformResourceIdentifier, uri)));
        new TreeSet<>(dnsNames).forEach(name -> all.add(new GeneralName(GeneralName.dNSName, name)));
        new TreeSet<>(addresses).forEach(ip -> all.add(new GeneralName(GeneralName.iPAddress, ip)));
        return new GeneralNames(all.toArray(GeneralName[]::new));
    }

    @Override
    public String toString() {
        var all = new ArrayList<String>(uris);
        all.addAll(dnsNames);
        all.addAll(addresses);
        return String.join(", ", all);
    }
}
