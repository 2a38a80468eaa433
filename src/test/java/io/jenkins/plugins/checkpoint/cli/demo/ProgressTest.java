// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.checkpoint.TestProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo's verdict must be able to say no. */
class ProgressTest {
    @TempDir
    private Path directory;
    private Path file;
    private List<String> lines;

    @BeforeEach
    void runAllCases() throws Exception {
        file = directory.resolve("progress");
        Path script = directory.resolve("soak.py");
        Files.copy(getClass().getResourceAsStream("/demo/soak.py"), script);
        assertThat(new ProcessBuilder(TestProcess.PYTHON, script.toString(), file.toString(), "9", "0").inheritIO().start().waitFor()).isZero();
        lines = new ArrayList<>(Files.readAllLines(file));
    }

    private String fault() throws IOException {
        Files.write(file, lines);
        return new Progress(file).firstFault(9).orElse("");
    }

    @Test
    void passesAnUnbrokenRun() throws IOException {
        assertThat(fault()).isEmpty();
        assertThat(new Progress(file).last()).isEqualTo(9);
    }

    @Test
    void noticesAGap() throws IOException {
        lines.remove(4);
        assertThat(fault()).isEqualTo("after case 4 comes case 6");
    }

    @Test
    void noticesARepeat() throws IOException {
        lines.add(5, lines.get(4));
        assertThat(fault()).isEqualTo("case 5 is there again after case 5");
    }

    @Test
    void noticesAnEarlyEnd() throws IOException {
        lines.remove(8);
        assertThat(fault()).isEqualTo("it ends after case 8 of 9");
    }

    @Test
    void noticesLostMemory() throws IOException {
        lines.set(6, lines.get(6).replaceAll("[0-9a-f]{16}$", "0123456789abcdef"));
        assertThat(fault()).contains("case 7 came out wrong");
    }
}
