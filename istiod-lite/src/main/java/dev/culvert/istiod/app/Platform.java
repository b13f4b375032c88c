package dev.culvert.istiod.app;

import dev.culvert.istiod.ca.CertificateService;
import dev.culvert.istiod.ca.CertificateSigner;
import dev.culvert.istiod.ca.TokenVerifier;
import dev.culvert.kube.object.ObjectSet;
import dev.culvert.kube.object.Problem;
import java.io.IOException;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/// Where a controller lives: who tells it of the mesh, who may call it, and where its authority is kept.
interface Platform extends AutoCloseable {
    CertificateSigner signer();

    TokenVerifier tokens();

    CertificateService.Pods pods();

    /// DNS names of our own certificate.
    List<String> names();

    /// Addresses of our own certificate.
    List<InetAddress> addresses();

    /// Begins to read.
    ///
    /// @param listener gets the whole, and all of it again after each change, on one thread
    /// @param newAuthority called when certificates are signed with something else from now on
    void start(Consumer<ObjectSet> listener, Renewal newAuthority) throws IOException;

    /// What has to be made anew with another authority.
    interface Renewal {
        void renew() throws IOException, GeneralSecurityException;
    }

    /// What was made of the objects; called after each change, on the listener's thread.
    void told(ObjectSet objects, List<Problem> problems);

    /// For how long what we know has been getting old; zero while it is not.
    Duration staleFor();

    @Override
    void close();
}
