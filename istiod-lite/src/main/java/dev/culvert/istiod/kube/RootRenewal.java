package dev.culvert.istiod.kube;

import dev.culvert.istiod.ca.CertificateAuthority;
import java.io.IOException;
import java.security.GeneralSecurityException;

/// Issues a self-signed root anew before it ends. One that was plugged in is its administrator's to renew.
public final class RootRenewal implements Leader.Writer<Outcome> {
    private final AuthoritySecrets secrets;
    private final CertificateAuthority authority;

    public RootRenewal(AuthoritySecrets secrets, CertificateAuthority authority) {
        this.secrets = secrets;
        this.authority = authority;
    }

    @Override
    public void write(Outcome now) {
        try {
            secrets.renew(authority);
        } catch (IOException | GeneralSecurityException failed) {
            throw new IllegalStateException("the root is not renewed: " + failed.getMessage(), failed);
        }
    }
}
