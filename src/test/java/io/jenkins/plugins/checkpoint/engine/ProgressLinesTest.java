// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a service's log says of dumps that take long. */
class ProgressLinesTest {
    private final List<String> log = new ArrayList<>();
    private final ProgressLines lines = new ProgressLines(Duration.ofSeconds(5), log::add);

    private boolean tell(String phase, long bytes, long total, long rate, long micros) {
        return lines.take(String.format("{\"phase\":\"%s\",\"bytes\":%d,\"total\":%d,\"rate\":%d,\"elapsed_us\":%d}", phase, bytes, total, rate, micros));
    }

    @Test
    void saysItEveryFewSeconds() {
        assertThat(tell("freezing", 0, 0, 0, 100)).isTrue();
        tell("memory", 1 << 20, 1L << 30, 1 << 20, 4_999_999);
        assertThat(log).isEmpty();
        tell("memory", 512 << 20, 1L << 30, 100 << 20, 5_000_000);
        tell("memory", 513 << 20, 1L << 30, 100 << 20, 9_900_000);
        tell("processes", 1 << 30, 0, 100 << 20, 10_000_000);
        tell("done", 1 << 30, 1L << 30, 100 << 20, 20_000_000);
        assertThat(log).containsExactly("memory, 512 of 1024 MiB, 100 MiB/s, after 5.0 s", "processes, after 10.0 s");
        // Another request of the same connection.
        tell("memory", 0, 1 << 20, 0, 4_000_000);
        assertThat(log).hasSize(2);
        tell("memory", 0, 1 << 20, 0, 5_000_000);
        assertThat(log).hasSize(3);
    }

    @Test
    void leavesOtherLinesAlone() {
        for (String line : List.of("", "{}", "(00.1) Error: no", "{\"phase\":\"memory\"}", "{\"phase\":\"\u001b[2J\",\"bytes\":1,\"total\":1,\"rate\":1,\"elapsed_us\":9000000}",
                "{\"phase\":\"memory\",\"bytes\":99999999999999999999,\"total\":1,\"rate\":1,\"elapsed_us\":9000000}")) {
            assertThat(lines.take(line)).as(line).isFalse();
        }
        assertThat(log).isEmpty();
    }
}
