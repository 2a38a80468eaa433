// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.image.SampleImages;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The finished jar's dump --archive, pack and unpack: with real processes, full disks, terminals, and told to end in the middle. */
class ArchiveCommandsIT {
    // Memory that does not compress.
    private static final String LARGE = "data = os.urandom(48 << 20)\nready()\ntime.sleep(1000)\n";
    // Runs a program with a terminal as its standard error alone, and prints what the terminal shows.
    private static final String ON_TERMINAL = """
            import os, pty, subprocess, sys
            master, slave = pty.openpty()
            program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave, env={**os.environ, "TERM": "xterm"})
            os.close(slave)
            try:
                while text := os.read(master, 4096):
                    sys.stdout.buffer.write(text)
            except OSError:
                pass
            sys.exit(program.wait())
            """;

    @TempDir
    private Path directory;
    private Path images;
    private Path archives;

    @BeforeEach
    void make() throws IOException {
        images = Files.createDirectory(directory.resolve("images"));
        archives = Files.createDirectory(directory.resolve("archives"));
    }

    private record Outcome(int status, String text) {}

    private static Outcome run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Outcome(process.waitFor(), text);
    }

    private static List<String> jar(String... arguments) {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", System.getProperty("cli.jar")));
        command.addAll(List.of(arguments));
        return command;
    }

    private static List<String> names(Path where) throws IOException {
        try (Stream<Path> files = Files.list(where)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    // What takes seconds to hash: 3 GiB that are not on any disk.
    private Path longToPack() throws IOException {
        SampleImages.write(directory.resolve("long"));
        try (RandomAccessFile file = new RandomAccessFile(directory.resolve("long/pages-7.img").toFile(), "rw")) {
            file.setLength(3L << 30);
        }
        return directory.resolve("long");
    }

    private void onSmallDisk(Path where) throws Exception {
        assumeTrue(new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", where.toString()).start().waitFor() == 0, "mounting takes root");
    }

    private static void unmount(Path where) throws Exception {
        assertThat(new ProcessBuilder("umount", where.toString()).start().waitFor()).isZero();
    }

    @Test
    void dumpsIntoAnArchiveThatRestores() throws Exception {
        TestEngines.EMBEDDED.orSkip();
        try (TestProcess process = TestProcess.start(directory, LARGE)) {
            String pid = Integer.toString(process.pid());
            String archive = archives.resolve("a.tar.zst").toString();
            Outcome dump = run(jar("dump", "-t", pid, "-D", images.toString(), "--archive", archive));
            assertThat(dump.status()).as(dump.text()).isZero();
            assertThat(dump.text()).contains("pid " + pid + " dumped into", "packed into " + archive);
            assertThat(names(archives)).containsExactly("a.tar.zst");
            process.process().waitFor();
            String out = directory.resolve("out").toString();
            assertThat(run(jar("unpack", archive, out)).status()).isZero();
            Outcome restore = run(jar("restore", "-D", out));
            assertThat(restore.status()).as(restore.text()).isZero();
            assertThat(process.state()).isEqualTo('S');
        }
    }

    /** The engine runs out of room: no archive, and the process runs on. */
    @Test
    void leavesNoArchiveOfADumpThatFailed() throws Exception {
        TestEngines.EMBEDDED.orSkip();
        onSmallDisk(images);
        try (TestProcess process = TestProcess.start(directory, LARGE)) {
            Outcome dump = run(jar("dump", "-t", Integer.toString(process.pid()), "-D", images.toString(), "--archive", archives.resolve("a").toString()));
            assertThat(dump.status()).as(dump.text()).isOne();
            assertThat(dump.text()).contains("No space left").hasLineCount(1);
            assertThat(names(archives)).isEmpty();
            assertThat(process.state()).isEqualTo('S');
        } finally {
            unmount(images);
        }
    }

    /** The archive runs out of room: the dump is called off, and the process runs on. */
    @Test
    void callsADumpOffThatCannotBePacked() throws Exception {
        TestEngines.EMBEDDED.orSkip();
        onSmallDisk(archives);
        try (TestProcess process = TestProcess.start(directory, LARGE)) {
            List<String> dump = jar("dump", "-t", Integer.toString(process.pid()), "-D", images.toString(), "--archive", archives.resolve("a").toString());
            Outcome outcome = run(dump);
            assertThat(outcome.status()).as(outcome.text()).isOne();
            assertThat(outcome.text()).contains("No space left");
            assertThat(names(archives)).isEmpty();
            // Where the disk was full only after the last moment to say no, the images are whole.
            if (outcome.text().contains("runs on, since")) {
                assertThat(process.state()).isEqualTo('S');
                assertThat(images.resolve("inventory.img")).doesNotExist();
            } else {
                assertThat(outcome.text()).contains("the dump in " + images + " is whole");
                assertThat(images.resolve("inventory.img")).exists();
            }
        } finally {
            unmount(archives);
        }
    }

    @Test
    void showsABarOnATerminal() throws Exception {
        List<String> pack = jar("pack", longToPack().toString(), archives.resolve("a").toString());
        List<String> command = new ArrayList<>(List.of(TestProcess.PYTHON, "-c", ON_TERMINAL));
        command.addAll(pack);
        Outcome shown = run(command);
        assertThat(shown.status()).as(shown.text()).isZero();
        assertThat(shown.text()).startsWith("\r\u001b[Kpacking [").contains(" of 3072 MiB, ", " MiB/s").endsWith("\r\u001b[K").doesNotContain("\n");
        Files.delete(archives.resolve("a"));
        Outcome silent = run(pack);
        assertThat(silent.text()).as("no terminal").startsWith("11 files, 3").doesNotContain("\u001b").hasLineCount(1);
    }

    @Test
    void leavesNothingWhenToldToEnd() throws Exception {
        Process pack = new ProcessBuilder(jar("pack", longToPack().toString(), archives.resolve("a").toString())).redirectErrorStream(true)
                .redirectOutput(directory.resolve("said").toFile()).start();
        await().until(() -> !names(archives).isEmpty() || !pack.isAlive());
        assertThat(names(archives)).singleElement().asString().endsWith(".part");
        pack.destroy();
        assertThat(pack.waitFor()).isEqualTo(128 + 15);
        assertThat(names(archives)).isEmpty();
    }
}
