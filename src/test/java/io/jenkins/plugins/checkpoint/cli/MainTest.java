// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jenkins.plugins.checkpoint.archive.Json;
import io.jenkins.plugins.checkpoint.image.SampleImages;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class MainTest {
    @TempDir
    private Path directory;

    /** What a command gave back. */
    private record Outcome(int status, String out, String err) {}

    private static Outcome run(String... arguments) {
        CommandLine line = Main.commandLine();
        StringWriter err = new StringWriter();
        line.setErr(new PrintWriter(err, true));
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            int status = line.execute(arguments);
            return new Outcome(status, out.toString(StandardCharsets.UTF_8), err.toString());
        } finally {
            System.setOut(before);
        }
    }

    // picocli prints help on its own stream, not on a replaced System.out.
    private static String help(String... arguments) {
        CommandLine line = Main.commandLine();
        StringWriter out = new StringWriter();
        line.setOut(new PrintWriter(out));
        assertThat(line.execute(arguments)).isZero();
        line.getOut().flush();
        return out.toString();
    }

    private static void assertOneLine(Outcome outcome, int status, String... words) {
        assertThat(outcome.status()).isEqualTo(status);
        assertThat(outcome.err().strip()).contains(words).doesNotContain("\n", "Exception");
    }

    @ParameterizedTest
    @ValueSource(strings = {"service", "dump", "restore", "check", "inspect", "diff", "pack", "unpack", "demo"})
    void helpsWithEachVerb(String verb) {
        assertThat(help(verb, "--help")).startsWith("Usage: process-checkpoint " + verb).contains("--help");
        assertThat(help("--help")).contains("\n  " + verb);
    }

    @Test
    void answersMistakesInOneLine() {
        assertOneLine(run(), 2, "say what to do");
        assertOneLine(run("thaw"), 2, "thaw");
        assertOneLine(run("dump", "-t", "5"), 2, "process-checkpoint dump", "--images-dir");
        assertOneLine(run("dump", "-t", "five", "-D", "/"), 2, "five");
        assertOneLine(run("dump", "-t", "5", "-D", "/", "--frobnicate"), 2, "--frobnicate");
        assertOneLine(run("check", "--engine", "magic"), 2, "magic");
    }

    @Test
    void answersFailuresInOneLine() {
        String none = directory.resolve("none").toString();
        assertOneLine(run("inspect", none), 1, none, "no such file or directory");
        assertOneLine(run("pack", none, directory + "/a"), 1, none, "no such file or directory");
        assertOneLine(run("pack", directory.toString(), directory + "/a"), 1, "inventory.img is missing");
        assertOneLine(run("unpack", none, directory + "/a"), 1, none, "no such file or directory");
        assertOneLine(run("check", "--address", none), 1, "cannot connect to " + none);
        assertOneLine(run("check", "--criu", none), 1, none + " is not an executable file");
        assertOneLine(run("check", "--criu", "/bin/true", "--pcr", "/bin/true"), 1, "different engines");
        assertOneLine(run("check", "--address", "@x", "--criu", "/bin/true"), 1, "has its own engine");
        assertOneLine(run("service", "--address", "/" + "x".repeat(200), "--criu", "/bin/true"), 1, "bytes long");
        assertOneLine(run("service", "--address", none, "--mode", "rwx", "--criu", "/bin/true"), 1, "--mode rwx", "octal");
        assertOneLine(run("service", "--address", none + "/socket", "--criu", "/bin/true"), 1, "cannot listen on");
    }

    @Test
    void packsUnpacksAndInspects() throws IOException {
        Path images = SampleImages.write(directory.resolve("images"));
        String archive = directory.resolve("a.tar.zst").toString();
        Outcome packed = run("pack", images.toString(), archive, "--manifest", directory + "/a.json");
        assertThat(packed.status()).as(packed.err()).isZero();
        assertThat(Json.parse(Files.readString(directory.resolve("a.json")))).isInstanceOf(Map.class);
        assertThat(run("unpack", archive, directory + "/out").status()).isZero();
        for (String checkpoint : List.of(images.toString(), archive, directory + "/out")) {
            Outcome shown = run("inspect", checkpoint);
            assertThat(shown.status()).as(shown.err()).isZero();
            assertThat(shown.out()).contains("2 processes, 3 threads, 12.0 KiB of memory", "100 soak", "  101 gone (zombie)", "soak --hours",
                    "fd 0     file /srv/progress.txt at 77", "pipe:[5]");
            Map<?, ?> json = (Map<?, ?>) Json.parse(run("inspect", checkpoint, "--json").out());
            Map<?, ?> root = (Map<?, ?>) ((List<?>) json.get("processes")).get(0);
            assertThat(root.get("arguments")).isEqualTo(List.of("soak", "--hours"));
            assertThat(root.get("threads")).isEqualTo(List.of(Map.of("id", 100L, "name", "soak"), Map.of("id", 102L, "name", "worker")));
        }
    }

    @Test
    void keepsATerminalSafe() {
        assertThat(Text.safe("a\u001b[2Jb\n\u202ec", 100)).isEqualTo("a?[2Jb??c");
        assertThat(Text.safe("x".repeat(50), 10)).isEqualTo("xxxxxxx...");
    }

    @Test
    void readsWell() {
        assertThat(Text.size(0)).isEqualTo("0 B");
        assertThat(Text.size(1536)).isEqualTo("1.5 KiB");
        assertThat(Text.size(300L << 30)).isEqualTo("300 GiB");
        assertThat(Text.time(1_500_000)).isEqualTo("1.5 ms");
        assertThat(Text.time(2_340_000_000L)).isEqualTo("2.3 s");
    }
}
