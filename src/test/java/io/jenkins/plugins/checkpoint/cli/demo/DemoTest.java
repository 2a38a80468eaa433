// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.rpc.Engine;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DemoTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    // The embedded engine plays it in CommandLineJarIT.
    @EnumSource(value = TestEngines.class, names = "REAL_CRIU")
    void goesAllTheWay(TestEngines kind) throws Exception {
        Engine engine = kind.orSkip();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (Demo demo = new Demo(engine, directory, new PrintStream(out, true, StandardCharsets.UTF_8))) {
            boolean whole = demo.play();
            assertThat(whole).as(out.toString(StandardCharsets.UTF_8)).isTrue();
        }
        assertThat(out.toString(StandardCharsets.UTF_8).lines()).last().asString().startsWith("OK: cases 1 to 120");
    }
}
