package dev.culvert.kube.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.HttpRoute;
import dev.culvert.kube.object.HttpRule.Session;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Sessions of HTTPRoutes: what is read, and what is named since it has no effect.
class SessionReadingTest {
    private static String text(Optional<Session> read) {
        return read.map(one -> one.name()
                        + (one.byHeader() ? " by header " : " ")
                        + one.lifetime().toSeconds())
                .orElse("none");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                                            | culvert-session 0 | ",
                "{sessionName: crew}                                           | crew 0            | ",
                "{type: Cookie, cookieConfig: {lifetimeType: Session}}         | culvert-session 0 | ",
                "{absoluteTimeout: 2m, cookieConfig: {lifetimeType: Permanent}} | culvert-session 120 | ",
                "{cookieConfig: {lifetimeType: Permanent}}                     | refused | absoluteTimeout is missing",
                "{absoluteTimeout: 2m}                                         | culvert-session 0 | has no effect on a cookie",
                "{idleTimeout: 5s}                                             | culvert-session 0 | idleTimeout is not supported",
                "{type: Header}                                                | culvert-session by header 0 | ",
                "{type: Header, sessionName: X-Crew}                           | x-crew by header 0 | ",
                "{type: Header, sessionName: 'a b'}                            | refused | is not a header name",
                "{type: Header, absoluteTimeout: 2m}                           | culvert-session by header 0 | absoluteTimeout has no effect on a session by a header",
                "{typ: Cookie}                                                 | refused | typ",
            })
    void isRead(String written, String session, String problem) {
        var result = YamlReader.read(Path.of("quay.yaml"), """
                apiVersion: gateway.networking.k8s.io/v1
                kind: HTTPRoute
                metadata: {name: r, namespace: quay}
                spec:
                  parentRefs: [{group: "", kind: Service, name: berth}]
                  rules: [{backendRefs: [{name: berth, port: 80}], sessionPersistence: %s}]
                """.formatted(written));
        assertThat(result.objects().stream()
                        .map(route -> text(
                                ((HttpRoute) route).rules().getFirst().extras().session()))
                        .findFirst()
                        .orElse("refused"))
                .isEqualTo(session);
        if (problem == null) {
            assertThat(result.problems()).isEmpty();
        } else {
            assertThat(result.problems().toString()).contains(problem);
        }
    }
}
