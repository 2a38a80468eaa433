// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A run on this agent: starts it, tells how it goes, ends it. */
public final class Run {
    private static final int CHUNK = 512 << 10;
    private static final int OUTPUT_MAX = 64 << 20;
    private static final Duration GRACE = Duration.ofSeconds(10);
    // Keeps Jenkins' process tree killer away: it kills what carries the build's own cookie.
    private static final String COOKIE = "JENKINS_SERVER_COOKIE";

    private Run() {}

    /**
     * Starts a script. It goes on when this JVM ends.
     *
     * @param request what to run
     * @throws AgentException if this machine cannot, or it does not start
     */
    public static void start(RunRequest request) throws IOException, InterruptedException {
        Machine.requireSupported();
        RunDirectory run = RunDirectory.of(request.directory()).create();
        Path workspace = Path.of(request.workspace());
        Files.createDirectories(workspace);
        Files.writeString(run.script(), request.script().endsWith("\n") ? request.script() : request.script() + "\n");
        Files.setPosixFilePermissions(run.script(), PosixFilePermissions.fromString("rwx------"));
        Path socket = RunDirectory.shortDirectory().resolve("rpc");
        Files.writeString(run.socketFile(), socket.toString());
        new RunMetadata(request.directory(), request.directory(), request.workspace(), socket.toString(), request.keepOutput()).write(run.metadata());
        Map<String, String> environment = new TreeMap<>(request.environment());
        environment.put(COOKIE, "checkpoint-" + run.path().getFileName());
        Supervisor.start(run, workspace, environment, request.keepOutput(), command(request, run));
    }

    private static List<String> command(RunRequest request, RunDirectory run) {
        List<String> script = request.script().startsWith("#!") ? List.of(run.script().toString()) : List.of("sh", "-xe", run.script().toString());
        if (!request.holdFailure()) {
            return script;
        }
        // What a failed script leaves behind can be dumped as long as this shell waits; ten minutes, should nobody come.
        List<String> command = new ArrayList<>(List.of("sh", "-c", "dir=$1; shift; \"$@\"; status=$?; if [ $status != 0 ]; then "
                + "echo $status >\"$dir/failed\"; n=0; while [ ! -e \"$dir/go-on\" ] && [ $n -lt 600 ]; do sleep 1; n=$((n + 1)); done; fi; exit $status",
                "sh", run.path().toString()));
        command.addAll(script);
        return command;
    }

    /**
     * Looks at a run.
     *
     * @param directory the run's
     * @param offset how much of the log is known, in bytes
     * @return what is new
     */
    public static RunState look(String directory, long offset) throws IOException {
        RunDirectory run = RunDirectory.of(directory);
        if (!Files.isDirectory(run.path())) {
            return new RunState(new byte[0], RunState.GONE, false, false);
        }
        // The status first: what was printed before it is in the log then.
        String status = readStatus(run);
        byte[] text = readLog(run.log(), offset);
        if (status == null && text.length == 0 && Supervisor.find(run).isEmpty()) {
            status = readStatus(run);
            if (status == null) {
                status = RunState.GONE;
            }
        }
        return new RunState(text, text.length < CHUNK ? status : null, Files.exists(run.failed()) && !Files.exists(run.goOn()),
                Files.exists(run.shutdown()) && !Files.exists(run.released()));
    }

    private static String readStatus(RunDirectory run) throws IOException {
        return Files.exists(run.status()) ? Files.readString(run.status()).strip() : null;
    }

    private static byte[] readLog(Path log, long offset) throws IOException {
        if (!Files.exists(log)) {
            return new byte[0];
        }
        try (SeekableByteChannel channel = Files.newByteChannel(log)) {
            channel.position(offset);
            ByteBuffer buffer = ByteBuffer.allocate((int) Math.max(0, Math.min(CHUNK, channel.size() - offset)));
            while (buffer.hasRemaining() && channel.read(buffer) > 0) {
                continue;
            }
            byte[] bytes = new byte[buffer.position()];
            buffer.flip().get(bytes);
            return bytes;
        }
    }

    /**
     * What a run printed on standard output.
     *
     * @param directory of a run that kept it apart
     * @return the text, as the step's value
     * @throws AgentException if it is too much to be a value
     */
    public static String output(String directory) throws IOException {
        Path output = RunDirectory.of(directory).output();
        if (Files.size(output) > OUTPUT_MAX) {
            throw new AgentException("the script printed " + Files.size(output) + " bytes; returnStdout takes at most " + OUTPUT_MAX);
        }
        return Files.readString(output, StandardCharsets.UTF_8);
    }

    /**
     * Lets a script that failed and waits end.
     *
     * @param directory the run's
     */
    public static void goOn(String directory) throws IOException {
        Files.writeString(RunDirectory.of(directory).goOn(), "");
    }

    /**
     * Lets an agent that shuts down go.
     *
     * @param directory the run's
     */
    public static void release(String directory) throws IOException {
        Files.writeString(RunDirectory.of(directory).released(), "");
    }

    /**
     * Ends a run's processes, all of them.
     *
     * @param directory the run's
     */
    public static void stop(String directory) throws IOException, InterruptedException {
        Supervisor.stop(RunDirectory.of(directory), GRACE);
    }

    /**
     * Removes what a run that has ended kept on disk.
     *
     * @param directory the run's
     * @param keepCheckpoints true to leave archives that could not be uploaded
     */
    public static void remove(String directory, boolean keepCheckpoints) throws IOException {
        RunDirectory run = RunDirectory.of(directory);
        if (Files.exists(run.socketFile())) {
            Path socket = run.socket();
            Files.deleteIfExists(socket);
            removeIfEmpty(socket.getParent());
        }
        Restore.forget(run);
        if (!Files.isDirectory(run.path())) {
            return;
        }
        Files.deleteIfExists(run.socketFile());
        ShutdownWatch.forget(directory);
        // Runs restored from this one's checkpoints on this machine have its script open: the last of them removes it.
        if (!keepCheckpoints && !Restore.isUsed(run)) {
            RunDirectory.delete(run.path());
        }
    }

    private static void removeIfEmpty(Path directory) {
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            // Somebody else's things are in it.
        }
    }

    /** Says whether a run's supervisor is there. */
    static boolean isAlive(RunDirectory run) {
        return Supervisor.find(run).isPresent();
    }

    /** The pid of a run's root process. */
    static Optional<Integer> pid(RunDirectory run) throws IOException {
        return Files.exists(run.pid()) ? Optional.of(Integer.parseInt(Files.readString(run.pid()).strip())) : Optional.empty();
    }
}
