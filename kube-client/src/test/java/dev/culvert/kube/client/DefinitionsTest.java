package dev.culvert.kube.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.kube.object.Kind;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DefinitionsTest {
    private static final ApiResource POLICIES = ApiResource.of(Kind.AUTHORIZATION_POLICY);

    @Test
    void theBestServedVersionIsTaken() {
        assertThat(POLICIES.definition()).isEqualTo("authorizationpolicies.security.istio.io");
        assertThat(Definitions.version(POLICIES, definition("True", version("v1beta1", true), version("v1", true))))
                .contains("v1");
        assertThat(Definitions.version(POLICIES, definition("True", version("v1beta1", true), version("v1", false))))
                .contains("v1beta1");
    }

    @Test
    void whatIsNotEstablishedOrNotReadableIsNotTaken() {
        assertThat(Definitions.version(POLICIES, definition("False", version("v1", true))))
                .isEmpty();
        assertThat(Definitions.version(POLICIES, definition("True", version("v2", true))))
                .isEmpty();
        assertThat(Definitions.version(POLICIES, Map.of())).isEmpty();
    }

    private static Map<String, ?> version(String name, boolean served) {
        return Map.of("name", name, "served", served);
    }

    private static Map<String, ?> definition(String established, Map<?, ?>... versions) {
        return Map.of(
                "spec",
                Map.of("versions", List.of(versions)),
                "status",
                Map.of("conditions", List.of(Map.of("type", "Established", "status", established))));
    }
}
