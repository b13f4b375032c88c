package dev.culvert.mesh.model.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExpressionTest {
    private static final Map<String, Object> VALUES = Map.of(
            "request.method",
            "GET",
            "request.url_path",
            "/health/live",
            "request.headers",
            (Attributes.Headers) name -> name.equalsIgnoreCase("x-tide") ? "high" : null,
            "response.code",
            404L,
            "request.duration",
            Duration.ofMillis(250),
            "connection.mtls",
            true,
            "response.code_details",
            "it's \"gone\"");

    private static Expression parse(String text) {
        return Expression.parse(text, pattern -> {
            if (pattern.equals("[")) {
                throw new IllegalStateException("missing closing ]");
            }
            return Pattern.compile(pattern).asPredicate();
        });
    }

    private static String value(String text) {
        return switch (parse(text).evaluate(VALUES::get)) {
            case Expression.Result.Value value -> value.text();
            case Expression.Result.Missing() -> "missing";
            case Expression.Result.Senseless() -> "senseless";
        };
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            response.code >= 400                                   ; true
            response.code >= 405                                   ; false
            response.code > 400.5                                  ; true
            response.code == '404'                                 ; senseless
            response.code != 404 || connection.mtls                ; true
            request.url_path.startsWith("/health") == false        ; false
            request.url_path.endsWith('live') && !connection.mtls  ; false
            request.url_path.contains('alt')                       ; true
            request.url_path.matches('^/h[a-z]+/')                 ; true
            'X-Tide' in request.headers                            ; true
            'x-none' in request.headers                            ; false
            request.headers['x-tide'] == 'high'                    ; true
            request.headers['x-none'] == 'high'                    ; missing
            has(request.headers['x-none'])                         ; false
            has(response.code)                                     ; true
            has(response.grpc_status)                              ; false
            response.grpc_status == 5                              ; missing
            response.grpc_status == 5 || response.code == 404      ; true
            response.grpc_status == 5 && response.code == 1        ; false
            !(response.grpc_status == 5)                           ; missing
            'x' in request.headers ? request.headers['x'] : 'none' ; none
            'x-tide' in request.headers ? request.headers['x-tide'] : 'none' ; high
            request.method in ['GET', 'HEAD']                      ; true
            response.code in [200, 204]                            ; false
            request.duration > duration('200ms')                   ; true
            request.duration > duration('1s')                      ; false
            request.duration                                       ; 0.25s
            'a' + 'b' + string(1 + 2 - 5)                          ; ab-2
            int('7') + 1                                           ; 8
            size(request.method)                                   ; 3
            request.method.size() == 3                             ; true
            response.code_details == 'it\\'s "gone"'               ; true
            'nine'                                                 ; nine
            -response.code                                         ; -404
            connection.mtls + 1                                    ; senseless
            true ? 1 : 2                                           ; 1
            """)
    void expressionsAreCels(String text, String expected) {
        assertThat(value(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            order-service                | order is not known here
            response.cod >= 400          | response.cod is not known here: of its kind there are response.code, response.code_details
            response.code >=             | it ends too early
            response.code 400            | "400" at character 15 is not expected there
            request.method == 'GET       | cannot be read
            exists(request.method)       | exists is no function or word known here
            request.method.foo()         | foo is no function known here
            request.method.matches('(')  | Unclosed group
            request.method.matches('[')  | missing closing ]
            has()                        | a function has 0 arguments instead of 1
            duration('soon')             | duration needs a text
            [1, 2                        | it ends too early
            """)
    void whatIsNoneIsNamed(String text, String why) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
    }

    @Test
    void sizeAndDepthAreBounded() {
        assertThatThrownBy(() -> parse("'" + "a".repeat(3000) + "'")).hasMessageContaining("longer than 2048");
        assertThatThrownBy(() -> parse("(".repeat(1000) + "1")).hasMessageContaining("nested more than 32");
        assertThatThrownBy(() -> parse("!".repeat(1000) + "true")).hasMessageContaining("nested more than 32");
        assertThat(value("!".repeat(30) + "connection.mtls")).isEqualTo("true");
    }

    /// Whatever is written is either an expression, which has some value, or is refused with a reason.
    @Test
    void noTextDoesAnythingElse() {
        var seed = System.nanoTime();
        var random = new Random(seed);
        var words = new String[] {
            "request.headers['a']",
            "'x'",
            "1",
            "2.5",
            "(",
            ")",
            "[",
            "]",
            "&&",
            "||",
            "==",
            "<",
            "in",
            "!",
            "-",
            "+",
            "?",
            ":",
            "has(",
            "response.code",
            ".size()",
            ",",
            "true",
            "request.duration",
            "string("
        };
        var parsed = 0;
        for (var round = 0; round < 20_000; round++) {
            var text = new StringBuilder();
            for (var i = 0; i <= random.nextInt(7); i++) {
                text.append(words[random.nextInt(words.length)]).append(' ');
            }
            try {
                assertThat(value(text.toString())).isNotNull();
                parsed++;
            } catch (IllegalArgumentException refused) {
                assertThat(refused.getMessage()).as("seed %d: %s", seed, text).isNotBlank();
            }
        }
        assertThat(parsed).isPositive();
    }
}
