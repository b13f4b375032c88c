package dev.culvert.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {
    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "null",
                "true",
                "[false,null]",
                "0",
                "-0",
                "12.50",
                "1E+400",
                "-1e-7",
                "\"\"",
                "\"tab \\t quote \\\" slash \\\\ zero \\u0000 ä €\"",
                "{\"a\":{\"b\":[1,[2,{}]]},\"\":\"x\"}"
            })
    void whatIsReadIsWrittenAgain(String text) throws Exception {
        var value = JsonReader.read(bytes(text));
        assertThat(JsonWriter.write(value)).isEqualTo(text);
        assertThat(JsonWriter.write(JsonReader.read(JsonWriter.pretty(value)))).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "[",
                "\"",
                "\"\\",
                "\"\\u12",
                "\"\\x\"",
                "\"\n\"",
                "01",
                "1.",
                ".5",
                "+1",
                "-",
                "1e",
                "tru",
                "nul",
                "NaN",
                "'a'",
                "{a:1}",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1,}",
                "[1,]",
                "[1 2]",
                "[,]",
                "{} {}",
                "1 2",
                "{\"a\":1,\"a\":2}",
                "/**/1",
                "\uFEFF{}",
                "\"\\u00ｆ0\"",
                "]",
                "}",
                ",",
                ":"
            })
    void whatIsNotJsonIsRefusedWithItsPlace(String text) {
        assertThatThrownBy(() -> JsonReader.read(text))
                .isInstanceOf(JsonException.class)
                .hasMessageStartingWith("line ");
    }

    @Test
    void objectsKeepTheirOwnText() throws Exception {
        var config = JsonReader.readObject(bytes("{\"x\" : {\"big\":1e400, \"s\":\"\\u00e4\" } }"));
        assertThat(config.object("x").orElseThrow().raw()).isEqualTo("{\"big\":1e400, \"s\":\"\\u00e4\" }");
    }

    @Test
    void limitsHold() throws Exception {
        assertThat(JsonReader.read("[".repeat(64) + "]".repeat(64))).isInstanceOf(Json.Arr.class);
        assertThatThrownBy(() -> JsonReader.read("[".repeat(66) + "]".repeat(66)))
                .hasMessageEndingWith("nested deeper than 64");
        assertThatThrownBy(() -> JsonReader.read("[".repeat(1 << 20))).hasMessageEndingWith("nested deeper than 64");
        assertThatThrownBy(() -> JsonReader.read(new byte[(1 << 20) + 1])).hasMessage("longer than 1048576 bytes");
        assertThatThrownBy(() -> JsonReader.read(new byte[] {'"', (byte) 0xc3, '"'}))
                .hasMessage("not UTF-8");
    }

    @Test
    void aMemberOfTheWrongKindIsNamed() throws Exception {
        var object = JsonReader.readObject(bytes("{\"a\":1,\"b\":null,\"c\":[\"x\",2],\"d\":[\"x\"]}"));
        assertThatThrownBy(() -> object.text("a")).hasMessage("\"a\" must be a string, not a number");
        assertThatThrownBy(() -> object.texts("c")).hasMessage("\"c\" must be a list of strings, not a number");
        assertThatThrownBy(() -> object.object("d")).hasMessage("\"d\" must be an object, not a list");
        assertThatThrownBy(() -> object.flag("a")).hasMessage("\"a\" must be true or false, not a number");
        assertThatThrownBy(() -> object.objects("d")).hasMessage("\"d\" must be a list of objects, not a string");
        assertThat(object.text("b")).isEmpty();
        assertThat(object.texts("d")).contains(List.of("x"));
        assertThatThrownBy(() -> JsonReader.readObject(bytes("[]"))).hasMessage("not an object");
    }

    /// Damaged texts are read or refused, and nothing else.
    @Test
    void damagedTextsAreRefusedOrReadBackTheSame() throws Exception {
        var seed = System.nanoTime();
        var random = new Random(seed);
        var sound =
                "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.5/24\",\"interface\":2}],\"x\":[true,null,-1.5e3]}";
        for (var i = 0; i < 20_000; i++) {
            var damaged = bytes(sound);
            for (var j = random.nextInt(3); j >= 0; j--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            try {
                var value = JsonReader.read(damaged);
                assertThat(JsonReader.read(JsonWriter.write(value)).getClass())
                        .as("seed %d", seed)
                        .isEqualTo(value.getClass());
            } catch (JsonException e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotBlank();
            }
        }
    }
}
