// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.jenkins.plugins.checkpoint.TestEngines;
import io.jenkins.plugins.checkpoint.TestProcess;
import io.jenkins.plugins.checkpoint.junit.WarmedUpSuite;
import io.jenkins.plugins.checkpoint.rpc.CriuClient;
import io.jenkins.plugins.checkpoint.rpc.CriuService;
import io.jenkins.plugins.checkpoint.rpc.Engine;
import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.ServiceOptions;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Processes that ask for their own checkpoint: dumped, killed, restored, and told of it. */
class SelfCheckpointIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    // Two dumps, one connection each, while three threads count; raw bytes, with images_dir_fd as every CRIU knows it.
    private static final String TWICE = """
            import os, socket, sys, threading, time
            ticks = [0]
            def tick():
                while True:
                    ticks[0] += 1
                    time.sleep(0.01)
            for _ in range(3): threading.Thread(target=tick, daemon=True).start()
            for i in range(2):
                directory = os.open(sys.argv[2 + i], os.O_RDONLY)
                s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                s.connect(sys.argv[1])
                # DUMP, opts {images_dir_fd, leave_running, shell_job}; no pid
                s.send(bytes([8, 1, 0x12, 6, 8, directory, 24, 1, 56, 1]))
                answer = s.recv(65536)
                then = ticks[0]
                while ticks[0] < then + 10: time.sleep(0.01)
                # Not into a file that stays open: real CRIU wants such a one unchanged.
                with open(sys.argv[4], 'a') as f:
                    print(i, answer[:4] == bytes([8, 1, 16, 1]) and 'ok' or answer, bytes([0x1a, 2, 8, 1]) in answer and 'restored' or 'dumped', file=f)
                s.close()
                os.close(directory)
            time.sleep(1000)
            """;

    @TempDir
    private Path directory;

    private Path output() {
        return directory.resolve("output");
    }

    private List<String> lines() throws IOException {
        // What was written before a restore may leave a hole: the file is emptied here, its offset goes on.
        return Files.readString(output()).replace("\0", "").lines().toList();
    }

    private Process start(String socket, List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile()).redirectInput(new File("/dev/null")).redirectErrorStream(true)
                .redirectOutput(output().toFile());
        builder.command().add(0, "setsid");
        builder.environment().put(RpcAddress.ENVIRONMENT, socket);
        return builder.start();
    }

    private static int restore(CriuService service, Path images) throws IOException {
        try (CriuClient client = CriuClient.connect(service.address())) {
            return client.restore(images, options -> options.setShellJob(true));
        }
    }

    private CriuService service(Engine engine) throws IOException {
        return CriuService.start(RpcAddress.of(directory.resolve("socket")), engine, ServiceOptions.DEFAULT);
    }

    @ParameterizedTest
    @EnumSource(TestEngines.class)
    void dumpsItselfTwiceWithThreadsAtWork(TestEngines kind) throws Exception {
        Engine engine = kind.orSkip();
        Path first = Files.createDirectory(directory.resolve("first"));
        Path second = Files.createDirectory(directory.resolve("second"));
        Path said = directory.resolve("said");
        try (CriuService service = service(engine)) {
            Process process = start(service.address().toString(), new ArrayList<>(
                    List.of(TestProcess.PYTHON, "-c", TWICE, service.address().toString(), first.toString(), second.toString(), said.toString())));
            try {
                await().atMost(PATIENCE).until(() -> Files.exists(said) && Files.readAllLines(said).size() == 2);
                assertThat(said).hasContent("0 ok dumped\n1 ok dumped");
                kill(process);
                Files.delete(said);
                // From the second dump: the answer to the second request says so.
                assertThat(restore(service, second)).isEqualTo((int) process.pid());
                await().atMost(PATIENCE).until(() -> Files.exists(said) && Files.readAllLines(said).size() == 1);
                assertThat(said).hasContent("1 ok restored");
                kill(process);
                Files.delete(said);
                // From the first: it goes on from there and asks for its second dump over a new connection.
                assertThat(restore(service, first)).isEqualTo((int) process.pid());
                await().atMost(PATIENCE).until(() -> Files.exists(said) && Files.readAllLines(said).size() == 2);
                assertThat(said).hasContent("0 ok restored\n1 ok dumped");
            } finally {
                kill(process);
            }
        }
    }

    private static void kill(Process process) {
        ProcessHandle.of(process.pid()).ifPresent(ProcessHandle::destroyForcibly);
        // Restored, it is nobody's child here; init takes its time.
        await().atMost(PATIENCE).until(() -> ProcessHandle.of(process.pid()).isEmpty());
    }

    @Test
    void restoresAJvmThatRunsItsTests() throws Exception {
        try (CriuService service = service(TestEngines.EMBEDDED.orSkip())) {
            String junit = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                    .filter(path -> path.matches(".*/(junit-|opentest4j|apiguardian).*")).collect(Collectors.joining(File.pathSeparator));
            // The small jar alone: nothing else of this project is at hand there.
            Path suite = Path.of(WarmedUpSuite.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            Process process = start(service.address().toString(), new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
                    "-Xmx128m", "-cp", String.join(File.pathSeparator, System.getProperty("junit.jar"), junit, suite.toString()), WarmedUpSuite.class.getName())));
            try {
                await().atMost(PATIENCE).until(() -> lines().contains("last: ok"));
                assertThat(lines()).containsExactly("fixtures loaded", "first: DUMPED", "last: ok");
                await().atMost(PATIENCE).until(() -> !process.isAlive());
                Files.writeString(output(), "");
                int pid = restore(service, directory.resolve("target/checkpoints/warm"));
                assertThat(pid).isEqualTo((int) process.pid());
                await().atMost(PATIENCE).until(() -> lines().contains("last: ok"));
                assertThat(lines()).containsExactly("restored warm", "first: DUMPED", "last: ok");
                await().atMost(PATIENCE).until(() -> ProcessHandle.of(process.pid()).isEmpty());
                Files.writeString(output(), "");
                restore(service, directory.resolve("target/checkpoints/in-a-test"));
                await().atMost(PATIENCE).until(() -> lines().contains("last: ok"));
                assertThat(lines()).containsExactly("restored in a test", "first: RESTORED", "last: ok");
            } finally {
                kill(process);
            }
        }
    }

    @Test
    void pythonCheckpointsItself() throws Exception {
        try (CriuService service = service(TestEngines.EMBEDDED.orSkip())) {
            Process process = start(service.address().toString(), new ArrayList<>(
                    List.of(TestProcess.PYTHON, Path.of(System.getProperty("examples"), "checkpoint_me.py").toString(), directory + "/images")));
            try {
                await().atMost(PATIENCE).until(() -> lines().contains("case 8"));
                assertThat(lines()).startsWith("case 1", "case 2", "case 3", "case 4", "dumped", "case 5");
                kill(process);
                Files.writeString(output(), "");
                assertThat(restore(service, directory.resolve("images"))).isEqualTo((int) process.pid());
                await().atMost(PATIENCE).until(() -> lines().contains("case 8"));
                assertThat(lines()).startsWith("restored", "case 5", "case 6");
            } finally {
                kill(process);
            }
        }
    }

    @Test
    void pythonDoesNothingWithoutAService() throws Exception {
        Process process = start("", new ArrayList<>(
                List.of(TestProcess.PYTHON, Path.of(System.getProperty("examples"), "checkpoint_me.py").toString(), directory + "/images")));
        try {
            await().atMost(PATIENCE).until(() -> lines().contains("no service"));
            assertThat(directory.resolve("images")).doesNotExist();
        } finally {
            kill(process);
        }
    }
}
