// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The finished jar, as users start it: {@code java -jar process-checkpoint-cli.jar}. */
class CommandLineJarIT {
    @TempDir
    private Path directory;

    /** What a program printed, both streams, and its exit status. */
    private record Outcome(int status, String text) {}

    private static Outcome run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), text);
    }

    private static String[] jar(String... arguments) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", System.getProperty("cli.jar")));
        command.addAll(List.of(arguments));
        return command.toArray(String[]::new);
    }

    // In a temporary directory of its own, so that what it leaves behind shows.
    private String[] jarIn(Path temporary, String... arguments) {
        List<String> command = new ArrayList<>(List.of(jar(arguments)));
        command.add(1, "-Djava.io.tmpdir=" + temporary);
        return command.toArray(String[]::new);
    }

    @Test
    void startsByItself() throws Exception {
        assertThat(run(jar("--version"))).isEqualTo(new Outcome(0, "process-checkpoint 0.1.0-SNAPSHOT\n"));
        assertThat(run(jar("check", "--address", directory + "/none")).text()).startsWith("process-checkpoint check: cannot connect to").hasLineCount(1);
    }

    @Test
    void playsTheDemoAndCleansUp() throws Exception {
        TestEngines.EMBEDDED.orSkip();
        Path temporary = Files.createDirectory(directory.resolve("tmp"));
        Outcome outcome = run(jarIn(temporary, "demo"));
        assertThat(outcome.status()).as(outcome.text()).isZero();
        assertThat(outcome.text().lines()).last().asString().isEqualTo("OK: cases 1 to 120 are in sequence, with no gap and no repeat.");
        try (Stream<Path> left = Files.list(temporary)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void servesAClientInRawBytes() throws Exception {
        TestEngines.EMBEDDED.orSkip();
        String socket = directory.resolve("socket").toString();
        String client = Path.of(System.getProperty("examples"), "raw_client.py").toString();
        Path images = Files.createDirectory(directory.resolve("images"));
        Path log = directory.resolve("service.log");
        Process service = new ProcessBuilder(jar("service", "--address", socket, "--pidfile", directory + "/pid")).redirectErrorStream(true)
                .redirectOutput(log.toFile()).start();
        try (TestProcess process = TestProcess.start(directory, "ready()\ntime.sleep(1000)\n")) {
            await().atMost(Duration.ofMinutes(1)).until(() -> Files.exists(directory.resolve("pid")));
            String pid = Integer.toString(process.pid());
            assertThat(run(TestProcess.PYTHON, client, socket, pid, images.toString())).isEqualTo(new Outcome(0, "type 1 success True\n"));
            process.process().destroyForcibly().waitFor();
            assertThat(run(TestProcess.PYTHON, client, socket, "--restore", images.toString()))
                    .isEqualTo(new Outcome(0, "type 2 success True\nrestored pid " + pid + "\n"));
            assertThat(run(jar("inspect", images.toString())).text()).contains("time.sleep(1000)");
            assertThat(run(TestProcess.PYTHON, client, socket, "4194303", images.toString()).text()).contains("errno 3: pid 4194303: no such process");
            assertThat(Files.readString(log)).contains("DUMP of pid " + pid, "RESTORE", "ok, pid " + pid, "failed, ESRCH");
        } finally {
            service.destroy();
            service.waitFor();
        }
        assertThat(Path.of(socket)).doesNotExist();
        assertThat(directory.resolve("pid")).doesNotExist();
    }
}
