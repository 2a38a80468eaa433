// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void readsWhatItWrote() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("text", "a \"quote\", a \\, a\nline, \u0001, \u00e9, \ud83d\ude00, \u2028");
        value.put("numbers", Arrays.asList(0L, -5L, Long.MAX_VALUE, Long.MIN_VALUE, 1.5));
        value.put("plain", Arrays.asList(true, false, null));
        value.put("nested", List.of(Map.of("a", List.of()), Map.of(), new ArrayList<>()));
        assertThat(Json.parse(Json.write(value))).isEqualTo(value);
    }

    @Test
    void readsEscapesAndBlanks() {
        assertThat(Json.parse(" { \"a\\u0041\\n\" : [ 1 , 2e3 ] }\r\n")).isEqualTo(Map.of("aA\n", List.of(1L, 2000.0)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[1,", "[1 2]", "{\"a\"}", "{\"a\":1,}", "{a:1}", "\"a", "\"\\x\"", "\"\\u12g4\"", "01", "1.", "-", "+1", "nul", "1 1",
            "99999999999999999999", "{\"a\":1,\"a\":2}", "\"\n\"", "[1]x", "NaN"})
    void refusesWhatIsNoJson(String text) {
        assertThatThrownBy(() -> Json.parse(text)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("at character");
    }

    @Test
    void refusesADeepNest() {
        assertThatThrownBy(() -> Json.parse("[".repeat(100_000))).hasMessageContaining("nested too deeply");
    }
}
