package dev.culvert.istiod.ca;

import java.security.GeneralSecurityException;

/// Says whose a token is. Safe for any thread; may block.
public interface TokenVerifier {
    /// @throws GeneralSecurityException with the reason, without the token
    Caller verify(String token) throws GeneralSecurityException;
}
