package dev.culvert.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.xds.XdsCredentialsProvider;
import java.io.File;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Credentials of type `tls` in a bootstrap file, with the files that its `config` names, as gRPC of other
/// languages reads them (gRFC A65); grpc-java's own take none. Found by grpc-java when it is on the class path.
/// Files are read when a channel to the control plane is made; the token is read for each call.
///
/// `ca_certificate_file`: whom to trust; `certificate_file` and `private_key_file` (PKCS #8): who we are;
/// `jwt_token_file`: the token of a service account, instead of or beside these.
public final class ControlPlaneCredentials extends XdsCredentialsProvider {
    private static final Logger LOG = Logger.getLogger(ControlPlaneCredentials.class.getName());
    /// One more than grpc-java's own.
    private static final int PRIORITY = 6;

    /// For the service loader.
    public ControlPlaneCredentials() {}

    @Override
    protected String getName() {
        return "tls";
    }

    @Override
    public boolean isAvailable() {
        return true;
    }

    @Override
    public int priority() {
        return PRIORITY;
    }

    /// @return null where a file cannot be read, as the contract has it: grpc-java then says that there are none
    @Override
    @SuppressWarnings("NullAway") // grpc-java has no annotations that say so
    protected ChannelCredentials newChannelCredentials(Map<String, ?> config) {
        try {
            var tls = tls(config);
            return file(config, "jwt_token_file")
                    .<ChannelCredentials>map(
                            token -> CompositeChannelCredentials.create(tls, new TokenFile(token.toPath())))
                    .orElse(tls);
        } catch (IOException | IllegalArgumentException e) {
            LOG.log(Level.SEVERE, e, () -> "credentials of the control plane in the bootstrap file: " + config);
            return null;
        }
    }

    private static ChannelCredentials tls(Map<String, ?> config) throws IOException {
        var to = TlsChannelCredentials.newBuilder();
        var authority = file(config, "ca_certificate_file");
        if (authority.isPresent()) {
            to.trustManager(authority.get());
        }
        var certificate = file(config, "certificate_file");
        var key = file(config, "private_key_file");
        if (certificate.isPresent() != key.isPresent()) {
            throw new IllegalArgumentException(
                    "certificate_file and private_key_file go together: one of them is missing");
        }
        if (certificate.isPresent()) {
            to.keyManager(certificate.get(), key.get());
        }
        return to.build();
    }

    private static Optional<File> file(Map<String, ?> config, String key) {
        return Optional.ofNullable(config.get(key)).map(path -> new File(path.toString()));
    }
}
