package dev.culvert.waypoint.route;

import static org.assertj.core.api.Assertions.assertThat;

import dev.culvert.protos.waypoint.PathNormalization;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathsTest {
    @ParameterizedTest
    @CsvSource({
        "/,/",
        "/a/b,/a/b",
        "/a/../b,/b",
        "/a/./b,/a/b",
        "/../../a,/a",
        "/a/..,/",
        "/a/.,/a/",
        "/a//b,/a//b",
        "/a\\..\\b,/b",
        "/%61dmin,/admin",
        "/%2e%2e/a,/a",
        "/x/%2E%2e/a,/a",
        "/a%2Fb,/a%2Fb",
        "/a%zz,/a%zz",
        "/a%,/a%",
        "/a/.b,/a/.b",
        "/a/..b,/a/..b",
        "/A%7e,/A~",
    })
    void oneFormForAllWaysOfWriting(String given, String normal) {
        assertThat(Paths.normalise(given, PathNormalization.BASE)).contains(normal);
        assertThat(Paths.normalise(normal, PathNormalization.BASE)).as("again").contains(normal);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "*", "/a#b", "/a b", "/a\u0001", "/\u00e9", "http://x/"})
    void whatIsNoPathIsRefused(String given) {
        assertThat(Paths.normalise(given, PathNormalization.BASE)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "/foo/bar,/foo,/xyz,/xyz/bar",
        "/foo,/foo,/xyz,/xyz",
        "/foo/bar,/foo,/,/bar",
        "/foo,/foo,/,/",
        "/foo/bar,/foo/,/,/bar",
        "/foo/bar,/,/v2,/v2/foo/bar",
        "/foobar,/foo,/x,/xbar",
    })
    void prefixIsReplaced(String path, String prefix, String replacement, String becomes) {
        assertThat(PathRewrite.replacePrefix(path, prefix, replacement)).isEqualTo(becomes);
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            //a///b/,        /a/b/,     /a/b/
            /a//../b,        /a/b,      /a/b
            /a%2Fb%5c/c,     /a%2Fb%5c/c,  /a/b/c
            /a%2f..%2Fadmin, /a%2f..%2Fadmin, /admin
            /%252F//x,       /%252F/x,  /%252F/x
            /a\\\\b,         /a/b,      /a/b
            """)
    void slashesAreMergedAndMadeOfEscapesWhereTheMeshSaysSo(String given, String merged, String decoded) {
        assertThat(Paths.normalise(given, PathNormalization.MERGE_SLASHES)).contains(merged);
        assertThat(Paths.normalise(given, PathNormalization.DECODE_AND_MERGE_SLASHES))
                .contains(decoded);
        assertThat(Paths.normalise(decoded, PathNormalization.DECODE_AND_MERGE_SLASHES))
                .as("again")
                .contains(decoded);
    }
}
