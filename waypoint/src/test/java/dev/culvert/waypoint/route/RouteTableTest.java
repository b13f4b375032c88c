package dev.culvert.waypoint.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.TextFormat;
import dev.culvert.protos.waypoint.RegexRewrite;
import dev.culvert.protos.waypoint.RequestMatch;
import dev.culvert.protos.waypoint.Route;
import dev.culvert.waypoint.TestRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One row, one condition, one request, one verdict.
class RouteTableTest {
    private static Route route(String name, String match) throws Exception {
        var to = Route.newBuilder().setName(name);
        to.getForwardBuilder();
        if (!match.isEmpty()) {
            to.addMatches(TextFormat.parse(match, RequestMatch.class));
        }
        return to.build();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "path {exact: '/a'} | /a | true",
                "path {exact: '/a'} | /a/ | false",
                "path {prefix: '/a'} | /ab | true",
                "path {segments: '/a'} | /ab | false",
                "path {segments: '/a'} | /a/b | true",
                "path {segments: '/a/'} | /a | true",
                "path {segments: '/'} | /x | true",
                "path {regex: '/a.*'} | /abc | true",
                "path {regex: 'a'} | /a | false",
                "path {exact: '/A' ignore_case: true} | /a | true",
                "method {exact: 'GET'} | / | true",
                "method {exact: 'get'} | / | false",
                "authority {suffix: ':8080'} | / | true",
                "headers {name: 'x-a'} | / | true",
                "headers {name: 'x-b'} | / | false",
                "headers {name: 'x-b' invert: true} | / | true",
                "headers {name: 'x-a' value {exact: '1,2'}} | / | true",
                "headers {name: 'x-a' value {exact: '1,2'} invert: true} | / | false",
                "query_parameters {name: 'q' value {exact: 'a b'}} | / | true",
                "query_parameters {name: 'q' value {exact: 'z'}} | / | false",
                "query_parameters {name: 'none'} | / | false",
                "path {prefix: '/a'} method {exact: 'POST'} | /a | false",
                "sources {workloads: 'p1'} | / | true",
                "sources {workloads: 'p2'} | / | false",
                "sources {} | / | false",
                "source_namespace: 'quay' | / | true",
                "source_namespace: 'other' | / | false",
                "headers {name: '@' claim: 'sub' value {exact: 's'}} | / | true",
                "headers {name: '@' claim: 'sub' value {exact: 't'}} | / | false",
                "headers {name: '@' claim: 'none' value {exact: 's'}} | / | false",
                "headers {name: '@' claim: 'none' value {exact: 's'} invert: true} | / | true",
            })
    void conditionsHoldOrNot(String match, String path, boolean holds) throws Exception {
        var request = new TestRequest(
                "GET",
                "berth:8080",
                path,
                "p=1&q=a+b&q=z",
                Map.of("x-a", List.of("1", "2")),
                Map.of("sub", List.of("s")));
        var table = new RouteTable(List.of(route("it", match)));
        assertThat(table.choose(request).isPresent()).as(match).isEqualTo(holds);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v([0-9]+) | /of\\1 | /v7/a/v8 | /of7/a/of8",
                "^/a | b | /a/c | /b/c",
                "/x(y)? | /z\\1\\0 | /x/xy | /z/x/zy/xy",
                "/none | /b | /a | /a",
                "a | \\\\1 | /a | /\\1",
            })
    void anExpressionRewritesEachPartThatItMatches(String pattern, String substitution, String path, String wanted) {
        var regex = new RegexPath(RegexRewrite.newBuilder()
                .setPattern(pattern)
                .setSubstitution(substitution)
                .build());
        assertThat(regex.rewrite(path)).isEqualTo(wanted);
    }

    @Test
    void aGroupThatIsNotThereIsRefused() {
        var rewrite =
                RegexRewrite.newBuilder().setPattern("a").setSubstitution("\\1").build();
        assertThatThrownBy(() -> new RegexPath(rewrite)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theFirstThatMatchesCountsAndNoneIsNone() throws Exception {
        var table = new RouteTable(List.of(
                route("a", "path {prefix: '/a'}"),
                route("b", "path {prefix: '/a/b'}"),
                route("c", "path {exact: '/c'}")));
        assertThat(table.choose(TestRequest.of("GET", "/a/b"))
                        .orElseThrow()
                        .route()
                        .getName())
                .isEqualTo("a");
        assertThat(table.choose(TestRequest.of("GET", "/d"))).isEmpty();
    }

    @Test
    void whatIsNotUnderstoodIsRefused() {
        assertThatThrownBy(() -> new RouteTable(List.of(route("a", "path {regex: '('}"))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new RouteTable(List.of(Route.getDefaultInstance())))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new RouteTable(List.of(route("a", "headers {name: 'a' value {}}"))))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
