// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import io.jenkins.plugins.checkpoint.archive.ArchiveLimits;
import io.jenkins.plugins.checkpoint.archive.CheckpointUnpacker;
import io.jenkins.plugins.checkpoint.archive.HostFacts;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Brings a checkpoint back on this agent: verifies the archive, looks whether this machine will do, restores files and then processes. */
public final class Restore {
    // In a run's directory: names the directory of the run that it was restored from.
    private static final String ORIGIN = "origin";
    // In the origin's directory, one for each run restored from it on this machine.
    private static final String USER_PREFIX = "used-by-";

    private Restore() {}

    /**
     * Restores. If it fails, no process is left behind.
     *
     * @param request what
     * @return what came back
     * @throws AgentException if it fails; the message says why and what to do
     */
    public static RestoreResult run(RestoreRequest request) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Machine.requireSupported();
        RunDirectory run = RunDirectory.of(request.directory()).create();
        Path archive = run.path().resolve(RestoreRequest.ARCHIVE);
        Path images = run.path().resolve("images");
        RunDirectory.delete(images);
        Files.createDirectories(run.checkpoints());
        Manifest manifest = CheckpointUnpacker.unpack(archive, images,
                request.maxBytes() > 0 ? ArchiveLimits.DEFAULT.withBytes(request.maxBytes()) : ArchiveLimits.DEFAULT);
        Files.delete(archive);
        List<String> lacks = HostFacts.lacks(manifest.host(), HostFacts.current());
        if (!lacks.isEmpty()) {
            throw new AgentException("this agent cannot restore the checkpoint: " + String.join("; ", lacks)
                    + "; use an agent of the kind that it was made on (" + manifest.host().cpu() + ", kernel " + manifest.host().kernel() + ")");
        }
        RunMetadata origin = RunMetadata.read(images);
        List<String> remarks = new ArrayList<>();
        Path workspace = prepareWorkspace(origin, request, remarks);
        prepareOrigin(origin, run, images);
        // Last of what may be refused: it replaces files that may be in use.
        Path packed = images.resolve(WorkspaceFiles.FILE);
        int files = Files.exists(packed) ? WorkspaceFiles.unpack(packed, workspace) : 0;
        prepareRun(origin, run, images);
        Supervisor.restore(run, images, origin, request.arguments());
        long bytes = RunDirectory.size(images);
        RunDirectory.delete(images);
        return new RestoreResult(manifest.tree().size(), bytes, files, workspace.toString(), (System.nanoTime() - start) / 1_000_000, origin.keepOutput(), remarks);
    }

    // The processes know their working directory and files by absolute path.
    private static Path prepareWorkspace(RunMetadata origin, RestoreRequest request, List<String> remarks) throws IOException {
        Path workspace = Path.of(origin.workspace());
        try {
            Files.createDirectories(workspace);
        } catch (IOException e) {
            throw new AgentException("the processes work in " + workspace + ", which cannot be made on this agent (" + e.getMessage()
                    + "); use an agent with the same remote root directory, or wrap the run in ws('PATH') with a path that every agent has");
        }
        if (!workspace.equals(Path.of(request.workspace()))) {
            remarks.add("the processes go on in " + workspace + ", where they were checkpointed, not in this step's workspace " + request.workspace());
        }
        return workspace;
    }

    // The script is open in the shell that reads it, so it has to be where it was; the log is given to the processes as a descriptor.
    private static void prepareOrigin(RunMetadata origin, RunDirectory run, Path images) throws IOException {
        RunDirectory old = RunDirectory.of(origin.home());
        if (!old.path().getFileName().toString().startsWith("checkpoint-")) {
            throw new AgentException("hostile archive: " + old.path() + " is no directory of a run");
        }
        try {
            old.create();
        } catch (IOException e) {
            throw new AgentException("the processes have their script open as " + old.script() + ", and that directory cannot be made on this agent ("
                    + e.getMessage() + "); use an agent with the same remote root directory");
        }
        if (Files.isSymbolicLink(old.path()) || !Files.getOwner(old.path()).equals(Files.getOwner(run.path()))) {
            throw new AgentException("the processes have their script open as " + old.script() + ", and on this machine that directory is another user's ("
                    + Files.getOwner(old.path()) + "), most likely an agent's where the run was checkpointed; restore as that user, or on another machine");
        }
        Path script = images.resolve("script.sh");
        if (!Files.exists(old.script()) || Files.mismatch(script, old.script()) >= 0) {
            Path temporary = Files.createTempFile(old.path(), ".", ".part");
            Files.copy(script, temporary, StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwx------"));
            Files.move(temporary, old.script(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
        // A run that was dumped while its script had failed and waited is not to wait again.
        Files.writeString(old.goOn(), "");
        if (!old.equals(run)) {
            Files.writeString(old.path().resolve(USER_PREFIX + run.path().getFileName()), "");
            Files.writeString(run.path().resolve(ORIGIN), old.path().toString());
        }
    }

    private static void prepareRun(RunMetadata origin, RunDirectory run, Path images) throws IOException {
        Path socket = Path.of(origin.socket());
        // The processes were told of the old path; it is theirs again unless another restore of the same checkpoint has it.
        boolean free = !Files.exists(socket, LinkOption.NOFOLLOW_LINKS)
                && socket.startsWith(Path.of(System.getProperty("java.io.tmpdir"))) && socket.getParent().getFileName().toString().startsWith("checkpoint-")
                && RunDirectory.createPrivately(socket.getParent());
        if (!free) {
            socket = RunDirectory.shortDirectory().resolve("rpc");
        }
        Files.writeString(run.socketFile(), socket.toString());
        new RunMetadata(origin.home(), run.path().toString(), origin.workspace(), origin.socket(), origin.keepOutput()).write(run.metadata());
        Files.copy(images.resolve("script.sh"), run.script(), StandardCopyOption.REPLACE_EXISTING);
        if (origin.keepOutput()) {
            Files.copy(images.resolve("output"), run.output(), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Removes the directory that a restored run had to have at its old place, when it was the last that needed it. */
    static void forget(RunDirectory run) throws IOException {
        Path link = run.path().resolve(ORIGIN);
        if (!Files.exists(link)) {
            return;
        }
        RunDirectory old = RunDirectory.of(Files.readString(link).strip());
        Files.deleteIfExists(old.path().resolve(USER_PREFIX + run.path().getFileName()));
        if (Files.isDirectory(old.path()) && !isUsed(old) && Files.notExists(old.socketFile())) {
            RunDirectory.delete(old.path());
        }
    }

    /** Says whether runs on this machine were restored from one. */
    static boolean isUsed(RunDirectory run) throws IOException {
        try (Stream<Path> files = Files.list(run.path())) {
            return files.anyMatch(file -> file.getFileName().toString().startsWith(USER_PREFIX));
        }
    }
}
