// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import io.jenkins.plugins.checkpoint.archive.Compression;
import io.jenkins.plugins.checkpoint.archive.FollowingPacker;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.archive.PackOptions;
import io.jenkins.plugins.checkpoint.engine.Engines;
import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointReader;
import io.jenkins.plugins.checkpoint.image.CheckpointSummary;
import io.jenkins.plugins.checkpoint.report.CheckpointReport;
import io.jenkins.plugins.checkpoint.rpc.CriuClient;
import io.jenkins.plugins.checkpoint.rpc.CriuException;
import io.jenkins.plugins.checkpoint.rpc.CriuService;
import io.jenkins.plugins.checkpoint.rpc.DirectoryDescriptor;
import io.jenkins.plugins.checkpoint.rpc.Engine;
import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.ServiceOptions;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_req_type;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Makes a checkpoint of a run, or of another process, on this agent's disk. */
public final class Dump {
    private static final int LOG_LEVEL = 4;
    // Left free on the disk, so that a dump does not bring down what else needs it.
    private static final long RESERVE = 64L << 20;

    private Dump() {}

    /**
     * Dumps and packs. If the dump fails, the processes run on as before, and nothing but the log is left.
     *
     * @param request what and how
     * @return the checkpoint's files
     * @throws AgentException if it fails; the message names what was in the way
     */
    public static DumpResult make(DumpRequest request) throws IOException, InterruptedException {
        Machine.requireSupported();
        RunDirectory run = RunDirectory.of(request.directory()).create();
        Path files = run.checkpoints();
        Files.createDirectories(files);
        Path images = run.images(request.number());
        RunDirectory.delete(images);
        Files.createDirectory(images);
        Path log = files.resolve(request.number() + ".dump.log");
        boolean made = false;
        Path archive = files.resolve(request.number() + ".tar.zst");
        Files.deleteIfExists(archive);
        try (FollowingPacker packer = FollowingPacker.start(images, archive, options(request))) {
            long start = System.nanoTime();
            int workspaceFiles = request.pid() > 0 ? dumpProcess(request, images, log, packer) : dumpRun(request, run, images, log, packer);
            long dumped = System.nanoTime();
            DumpResult result = pack(request, images, packer, archive, workspaceFiles, (dumped - start) / 1_000_000, dumped);
            made = true;
            return result;
        } finally {
            if (!made && Files.exists(images.resolve("inventory.img"))) {
                // The dump is whole, so packing failed: the images are all there is, perhaps of a tree that has ended.
                Files.writeString(files.resolve(request.number() + ".images"), images + "\n");
            } else {
                Incremental.after(run, request, images, made);
            }
        }
    }

    private static PackOptions options(DumpRequest request) {
        return PackOptions.DEFAULT.withCompression(new Compression(Compression.Method.ZSTD, request.compression())).withSecrets(request.secrets());
    }

    private static int dumpRun(DumpRequest request, RunDirectory run, Path images, Path log, FollowingPacker packer) throws IOException, InterruptedException {
        int pid = Run.pid(run).orElseThrow(() -> new AgentException("the run \"" + request.name() + "\" has not started yet"));
        if (!Run.isAlive(run)) {
            throw new RunEndedException(request.name());
        }
        RunMetadata metadata = RunMetadata.read(run.path());
        AtomicInteger count = new AtomicInteger();
        WhileFrozen whileFrozen = () -> {
            // The processes stand still now, and can still go on.
            requirePacking(packer, images);
            Files.copy(run.metadata(), images.resolve(RunMetadata.FILE));
            Files.copy(run.script(), images.resolve("script.sh"));
            if (metadata.keepOutput()) {
                Files.copy(run.output(), images.resolve("output"));
            }
            AntPattern includes = new AntPattern(request.includes());
            if (!includes.isEmpty()) {
                count.set(WorkspaceFiles.pack(Path.of(metadata.workspace()), includes, new AntPattern(request.excludes()), images.resolve(WorkspaceFiles.FILE)));
            }
        };
        try {
            if (request.engine().equals("criu")) {
                askEngine(Engines.systemCriu(), request, pid, images, log, whileFrozen);
            } else {
                ask(RpcAddress.of(run.socket()), request, pid, images, log, whileFrozen);
            }
        } catch (IOException e) {
            // It may end at any moment of this; its socket is gone then, or its process, or the connection.
            throw Run.isAlive(run) ? e : new RunEndedException(request.name());
        }
        return count.get();
    }

    private static int dumpProcess(DumpRequest request, Path images, Path log, FollowingPacker packer) throws IOException {
        if (!ProcessHandle.of(request.pid()).map(ProcessHandle::isAlive).orElse(false)) {
            throw new AgentException("there is no process " + request.pid() + " on this agent");
        }
        askEngine(request.engine().equals("criu") ? Engines.systemCriu() : Engines.embedded(), request, request.pid(), images, log, () -> requirePacking(packer, images));
        return 0;
    }

    // By way of a service of our own.
    private static void askEngine(Engine engine, DumpRequest request, int pid, Path images, Path log, WhileFrozen whileFrozen) throws IOException {
        Path directory = RunDirectory.shortDirectory();
        try (CriuService service = CriuService.start(RpcAddress.of(directory.resolve("rpc")), engine, ServiceOptions.DEFAULT.withSocketMode("rw-------"))) {
            ask(service.address(), request, pid, images, log, whileFrozen);
        } finally {
            RunDirectory.delete(directory);
        }
    }

    private interface WhileFrozen {
        void run() throws IOException;
    }

    private static void ask(RpcAddress address, DumpRequest request, int pid, Path images, Path log, WhileFrozen whileFrozen) throws IOException {
        IOException[] failure = new IOException[1];
        boolean[] done = new boolean[1];
        try (CriuClient client = CriuClient.connect(address); DirectoryDescriptor directory = DirectoryDescriptor.open(images);
                DirectoryDescriptor work = DirectoryDescriptor.open(log.getParent())) {
            criu_opts.Builder options = criu_opts.newBuilder().setImagesDirFd(directory.number()).setWorkDirFd(work.number()).setPid(pid)
                    .setLogFile(log.getFileName().toString()).setLogLevel(LOG_LEVEL).setLeaveRunning(request.leaveRunning()).setNotifyScripts(true);
            if (request.timeoutSeconds() > 0) {
                options.setTimeout(request.timeoutSeconds());
            }
            Incremental.apply(RunDirectory.of(request.directory()), request, options);
            RpcOptions.apply(options, request.options());
            criu_req message = criu_req.newBuilder().setType(criu_req_type.DUMP).setOpts(options).build();
            try {
                client.require(message, notification -> {
                    if (!notification.getNotify().getScript().equals("post-dump")) {
                        return true;
                    }
                    try {
                        requireRoom(request, images);
                        whileFrozen.run();
                        done[0] = true;
                    } catch (IOException e) {
                        failure[0] = e;
                    }
                    return failure[0] == null;
                });
            } catch (CriuException e) {
                throw failure[0] != null ? failure[0] : new AgentException(withReason(e.getMessage(), log));
            }
            if (!done[0]) {
                whileFrozen.run();
            }
            // Engines put it where the log is.
            Path stats = log.resolveSibling("stats-dump");
            if (Files.exists(stats)) {
                Files.move(stats, images.resolve("stats-dump"), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    // An older criu says in its log only why it failed, in the last error that is not about the dump as a whole.
    private static String withReason(String message, Path log) throws IOException {
        int none = message.indexOf("gave no reason");
        if (none < 0 || !Files.isRegularFile(log)) {
            return message;
        }
        try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> line.contains("Error (") && !line.matches(".*(Dumping FAILED|exited, status).*")).reduce((earlier, later) -> later)
                    .map(line -> message.substring(0, none) + "says: " + line.replaceFirst("^.*?Error \\([^)]*\\): *", "").strip()).orElse(message);
        }
    }

    private static void requireRoom(DumpRequest request, Path images) throws IOException {
        long bytes = RunDirectory.size(images);
        if (request.maxBytes() > 0 && bytes > request.maxBytes()) {
            throw new AgentException("the checkpoint has " + bytes + " bytes; the administrator allows " + request.maxBytes()
                    + " (Manage Jenkins, System, Process Checkpoint)");
        }
        long room = Files.getFileStore(images).getUsableSpace();
        if (room < RESERVE) {
            throw new AgentException("only " + (room >> 20) + " MiB are left on the disk of " + images + "; free some, or use another agent");
        }
    }

    private static void requirePacking(FollowingPacker packer, Path images) throws IOException {
        try {
            packer.check();
        } catch (IOException e) {
            throw new AgentException("the checkpoint cannot be packed beside " + images + ": " + e.getMessage());
        }
    }

    private static DumpResult pack(DumpRequest request, Path images, FollowingPacker packer, Path archive, int workspaceFiles, long dumpMillis, long start)
            throws IOException {
        Path files = archive.getParent();
        long imageBytes = RunDirectory.size(images);
        Manifest manifest = packer.finish();
        write(files.resolve(request.number() + ".json"), manifest.toJson());
        Checkpoint content = CheckpointSummary.of(CheckpointReader.read(images), CheckpointSummary.Limits.REPORT, request.secrets());
        write(files.resolve(request.number() + ".html"),
                new CheckpointReport(request.name() + " #" + request.number(), content, manifest, Files.size(archive)).html());
        return new DumpResult(files.toString(), imageBytes, Files.size(archive), manifest.timings().getOrDefault("frozen", 0L), dumpMillis,
                (System.nanoTime() - start) / 1_000_000, workspaceFiles, manifest.tree().size(), md5(archive));
    }

    private static void write(Path file, String text) throws IOException {
        Path temporary = Files.createTempFile(file.getParent(), ".", ".part");
        Files.writeString(temporary, text, StandardCharsets.UTF_8);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String md5(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("MD5");
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * How far a dump that goes on is.
     *
     * @param directory the run's
     * @param number the checkpoint's
     * @return bytes of images and of the archive so far
     */
    public static DumpProgress progress(String directory, int number) throws IOException {
        RunDirectory run = RunDirectory.of(directory);
        long images = Files.isDirectory(run.images(number)) ? RunDirectory.size(run.images(number)) : 0;
        long archive = 0;
        if (Files.isDirectory(run.checkpoints())) {
            try (Stream<Path> parts = Files.list(run.checkpoints())) {
                for (Path part : (Iterable<Path>) parts.filter(path -> path.getFileName().toString().startsWith("." + number + ".tar.zst"))::iterator) {
                    archive += Files.isRegularFile(part, LinkOption.NOFOLLOW_LINKS) ? Files.size(part) : 0;
                }
            }
        }
        return new DumpProgress(images, archive);
    }

    /**
     * Removes a checkpoint's files once they are uploaded.
     *
     * @param directory the run's
     * @param number the checkpoint's
     */
    public static void forget(String directory, int number) throws IOException {
        Path files = RunDirectory.of(directory).checkpoints();
        for (String suffix : new String[] {".tar.zst", ".json", ".html", ".dump.log", ".images"}) {
            Files.deleteIfExists(files.resolve(number + suffix));
        }
    }

    /**
     * Says which files of a checkpoint are there, beside the archive.
     *
     * @param directory the run's
     * @param number the checkpoint's
     * @return names in the directory of checkpoints
     */
    public static List<String> files(String directory, int number) {
        Path files = RunDirectory.of(directory).checkpoints();
        return Stream.of(".tar.zst", ".html", ".dump.log", ".json").map(suffix -> number + suffix).filter(name -> Files.isRegularFile(files.resolve(name))).toList();
    }

    /**
     * Where a checkpoint's files are.
     *
     * @param directory the run's
     * @return their directory
     */
    public static String filesDirectory(String directory) {
        return RunDirectory.of(directory).checkpoints().toString();
    }
}
