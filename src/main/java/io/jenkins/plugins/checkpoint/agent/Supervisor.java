// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import io.jenkins.plugins.checkpoint.engine.Engines;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** {@code pcr supervise}: the ancestor of a run's processes. It outlives the agent's JVM and this one's connection. */
final class Supervisor {
    private static final Duration START = Duration.ofMinutes(1);
    // A restore reads all of the memory back.
    private static final Duration RESTORE = Duration.ofMinutes(60);
    private static final int SAID_MAX = 4096;

    private Supervisor() {}

    /**
     * Starts a program under a supervisor.
     *
     * @param run where its files are
     * @param workspace its working directory
     * @param environment its environment
     * @param keepOutput true to let standard output go to a file of its own
     * @param program what to run
     * @throws AgentException if it does not start
     */
    static void start(RunDirectory run, Path workspace, Map<String, String> environment, boolean keepOutput, List<String> program)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(supervise(run));
        command.add("--");
        command.addAll(program);
        ProcessBuilder builder = new ProcessBuilder(command).directory(workspace.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.redirectInput(new File("/dev/null"));
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo((keepOutput ? run.output() : run.log()).toFile()));
        builder.redirectError(ProcessBuilder.Redirect.appendTo(run.log().toFile()));
        long before = Files.exists(run.log()) ? Files.size(run.log()) : 0;
        launch(builder, START, "the run cannot be started", run.log(), before);
    }

    /**
     * Restores images under a supervisor.
     *
     * @param run where the restored run's files are
     * @param images the images
     * @param origin what the images say of the run
     * @param options further options of {@code pcr restore}
     * @throws AgentException if it cannot be restored; nothing is left behind then
     */
    static void restore(RunDirectory run, Path images, RunMetadata origin, List<String> options) throws IOException, InterruptedException {
        RunDirectory old = RunDirectory.of(origin.directory());
        List<String> command = new ArrayList<>(List.of("sh", "-c", "log=$1 out=$2; shift 2; exec \"$@\" 8>>\"$log\" 9>>\"$out\"", "sh",
                run.log().toString(), run.output().toString()));
        command.addAll(supervise(run));
        command.addAll(List.of("--restore", "-D", images.toString(), "-W", run.checkpoints().toString(), "-o", "restore.log", "-v4",
                "--inherit-fd", "fd[8]:" + old.log().toString().substring(1)));
        if (origin.keepOutput()) {
            command.addAll(List.of("--inherit-fd", "fd[9]:" + old.output().toString().substring(1)));
        }
        command.addAll(options);
        Path said = run.path().resolve("restore.said");
        ProcessBuilder builder = new ProcessBuilder(command).directory(run.path().toFile());
        builder.redirectInput(new File("/dev/null"));
        builder.redirectOutput(ProcessBuilder.Redirect.to(said.toFile()));
        builder.redirectErrorStream(true);
        launch(builder, RESTORE, "the restore failed", said, 0);
    }

    private static List<String> supervise(RunDirectory run) throws IOException {
        return List.of(Engines.embeddedProgram().toString(), "supervise", "--socket", run.socket().toString(), "--status-file", run.status().toString(),
                "--pidfile", run.pid().toString(), "--daemon");
    }

    private static void launch(ProcessBuilder builder, Duration patience, String failure, Path said, long from) throws IOException, InterruptedException {
        Process process = builder.start();
        if (!process.waitFor(patience.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AgentException(failure + ": no answer from pcr supervise within " + patience.toSeconds() + " s");
        }
        if (process.exitValue() != 0) {
            throw new AgentException(failure + ": " + lastLine(said, from));
        }
    }

    // The engine's error is its last line, with a time before it.
    private static String lastLine(Path said, long from) throws IOException {
        byte[] all = Files.exists(said) ? Files.readAllBytes(said) : new byte[0];
        int start = (int) Math.max(Math.min(from, all.length), all.length - SAID_MAX);
        String[] lines = new String(all, start, all.length - start, StandardCharsets.UTF_8).strip().split("\n");
        String line = lines[lines.length - 1].replaceFirst("^\\(\\d+\\.\\d+\\) *(Error *(\\([^)]*\\))?: *)?", "");
        return line.isBlank() ? "the engine said nothing" : line;
    }

    /** The supervisor's process; empty if it has ended. */
    static Optional<ProcessHandle> find(RunDirectory run) {
        byte[] mark = run.status().toString().getBytes(StandardCharsets.UTF_8);
        return ProcessHandle.allProcesses().filter(process -> {
            try {
                String command = Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.ISO_8859_1);
                List<String> arguments = List.of(command.split("\0"));
                return arguments.size() > 4 && arguments.get(1).equals("supervise") && arguments.contains(new String(mark, StandardCharsets.ISO_8859_1));
            } catch (IOException e) {
                return false; // Ended, or another user's.
            }
        }).findFirst();
    }

    /**
     * Ends a run: asks its processes to end, and kills them when they have not after a while.
     *
     * @param run whose
     * @param grace how long they have
     */
    static void stop(RunDirectory run, Duration grace) throws IOException, InterruptedException {
        Optional<ProcessHandle> supervisor = find(run);
        if (supervisor.isEmpty()) {
            return;
        }
        supervisor.get().descendants().forEach(ProcessHandle::destroy);
        long end = System.nanoTime() + grace.toNanos();
        while (System.nanoTime() < end && supervisor.get().descendants().findAny().isPresent()) {
            Thread.sleep(50);
        }
        // Until there are none: one may start another meanwhile.
        for (int round = 0; round < 200 && supervisor.get().isAlive(); round++) {
            try (Stream<ProcessHandle> rest = supervisor.get().descendants()) {
                List<ProcessHandle> left = rest.toList();
                if (left.isEmpty() && round > 20) {
                    break;
                }
                left.forEach(ProcessHandle::destroyForcibly);
            }
            Thread.sleep(50);
        }
        if (supervisor.get().isAlive()) {
            supervisor.get().destroyForcibly();
        }
    }
}
