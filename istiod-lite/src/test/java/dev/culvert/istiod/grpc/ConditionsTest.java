package dev.culvert.istiod.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import dev.culvert.protos.envoy.Locality;
import dev.culvert.protos.waypoint.RequestMatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a client is told of a match, and what it is not.
class ConditionsTest {
    private static final Viewer PORTAL =
            new Viewer("quay", "Kubernetes//Pod/quay/portal-0", "", Locality.getDefaultInstance());

    private static Conditions.Covered of(String match, Viewer viewer) throws TextFormat.ParseException {
        return Conditions.of(TextFormat.parse(match, RequestMatch.class), viewer);
    }

    private static String told(Conditions.Covered covered) {
        var texts = covered.alternatives().stream()
                .map(alternative ->
                        TextFormat.printer().emittingSingleLine(true).printToString(alternative))
                .toList();
        return String.join(" / ", texts)
                .replace("case_sensitive { value: true }", "")
                .replaceAll(" +", " ")
                .trim();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "                                                             | prefix: \"\"",
                "path { exact: '/a.B/C' }                                     | path: \"/a.B/C\"",
                "path { exact: '/a' ignore_case: true }                       | path: \"/a\" case_sensitive { }",
                "path { segments: '/a.B' }                                    | path: \"/a.B\" / prefix: \"/a.B/\"",
                "path { segments: '/' }                                       | prefix: \"/\"",
                "path { regex: '/a.*' }                                       | safe_regex { regex: \"/a.*\" }",
                "path { regex: '/a.*' ignore_case: true }                     | case_sensitive { } safe_regex { regex: \"(?i)/a.*\" }",
                "method { exact: 'POST' }                                     | prefix: \"\"",
                "method { prefix: 'PO' } scheme { regex: 'https?' }           | prefix: \"\"",
                "source_namespace: 'quay'                                     | prefix: \"\"",
                "sources { workloads: 'Kubernetes//Pod/quay/portal-0' }       | prefix: \"\"",
                "headers { name: 'a' }                                        | prefix: \"\" headers { name: \"a\" present_match: true }",
                "headers { name: 'a' invert: true }                           | prefix: \"\" headers { name: \"a\" present_match: true invert_match: true }",
                "headers { name: 'a' value { suffix: 'b' ignore_case: true} } | prefix: \"\" headers { name: \"a\" string_match { suffix: \"b\" ignore_case: true } }",
                "headers { name: 'a' value { exact: 'b' } invert: true }      | prefix: \"\" headers { name: \"a\" present_match: true invert_match: true }"
                        + " / prefix: \"\" headers { name: \"a\" invert_match: true string_match { exact: \"b\" } }",
            })
    void whatAClientSeesItIsTold(@Nullable String match, String expected) throws Exception {
        var covered = of(match == null ? "" : match, PORTAL);
        assertThat(covered.exact()).isTrue();
        assertThat(told(covered)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "method { exact: 'GET' }",
                "scheme { exact: 'https' }",
                "query_parameters { name: 'a' value { exact: 'b' } }",
                "source_namespace: 'pay'",
                "sources { workloads: 'Kubernetes//Pod/quay/customs-0' }",
            })
    void whatNoCallOfThisClientMatchesItIsNotTold(String match) throws Exception {
        assertThat(of(match, PORTAL)).isEqualTo(Conditions.Covered.NOTHING);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "authority { exact: 'berth' }",
                "headers { name: ':authority' value { exact: 'berth' } }",
                "headers { name: 'user-agent' value { prefix: 'curl' } }",
                "headers { name: 'grpc-timeout' }",
                "headers { name: 'a-bin' }",
                "headers { name: 'a' value { template: '{*}' } }",
                "headers { name: '@request.auth.claims.sub' value { exact: 'b' } claim: 'sub' }",
            })
    void whatAClientCannotSeeIsLeftOutAndSaid(String match) throws Exception {
        var covered = of("path { exact: '/a.B/C' } " + match, PORTAL);
        assertThat(covered.exact()).isFalse();
        assertThat(told(covered)).isEqualTo("path: \"/a.B/C\"");
    }

    @Test
    void aCallerWhoseNameNobodyKnowsMayBeAnyone() throws Exception {
        assertThat(of("sources { workloads: 'a' }", Viewer.of("quay")).exact()).isFalse();
        assertThat(of("sources { workloads: 'a' }", Viewer.of("quay")).alternatives())
                .hasSize(1);
    }

    @Test
    void alternativesAreBounded() throws Exception {
        var match = new StringBuilder();
        for (var i = 0; i < 20; i++) {
            match.append("headers { name: 'h").append(i).append("' value { exact: 'b' } invert: true } ");
        }
        var covered = of(match.toString(), PORTAL);
        assertThat(covered.exact()).isFalse();
        assertThat(covered.alternatives()).hasSize(32);
    }
}
