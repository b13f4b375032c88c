package dev.culvert.istiod.ca;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.GeneralSecurityException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CertificateRequestTest {
    /// Its sender has to mend it: nothing that asking again would.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "no PEM",
                "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
                "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
            })
    void whatIsNoRequestIsRefused(String text) {
        assertThatThrownBy(() -> CertificateRequest.parse(text)).isInstanceOf(GeneralSecurityException.class);
    }
}
