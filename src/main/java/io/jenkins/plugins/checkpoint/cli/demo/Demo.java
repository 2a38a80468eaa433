// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli.demo;

import io.jenkins.plugins.checkpoint.archive.ArchiveLimits;
import io.jenkins.plugins.checkpoint.archive.CheckpointPacker;
import io.jenkins.plugins.checkpoint.archive.CheckpointUnpacker;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.cli.Text;
import io.jenkins.plugins.checkpoint.rpc.CriuClient;
import io.jenkins.plugins.checkpoint.rpc.CriuService;
import io.jenkins.plugins.checkpoint.rpc.Engine;
import io.jenkins.plugins.checkpoint.rpc.RpcAddress;
import io.jenkins.plugins.checkpoint.rpc.ServiceOptions;
import java.io.Closeable;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The demo's steps, in order; each prints one line when it is done. */
final class Demo implements Closeable {
    private static final int CASES = 120;
    private static final int CASES_BEFORE = 40;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Engine engine;
    private final Path directory;
    private final Path images;
    private final Path archive;
    private final Path unpacked;
    private final Progress progress;
    private final PrintStream out;
    private CriuService service;
    private TestRun run;
    private List<Integer> pids = List.of();
    /** The restored run as it is seen from here; 0 before. */
    private int restored;
    private int step;
    private long started;

    /** A condition that the demo waits for. */
    private interface Condition {
        boolean holds() throws IOException;
    }

    Demo(Engine engine, Path directory, PrintStream out) {
        this.engine = engine;
        this.directory = directory;
        this.images = directory.resolve("images");
        this.archive = directory.resolve("checkpoint.tar.zst");
        this.unpacked = directory.resolve("unpacked");
        this.progress = new Progress(directory.resolve("progress.txt"));
        this.out = out;
    }

    /**
     * Runs all steps.
     *
     * @return true if the test run's record has no gap and no repeat
     * @throws IOException if a step fails
     */
    boolean play() throws IOException, InterruptedException {
        startService();
        startRun();
        dump();
        pack();
        kill();
        unpack();
        int before = progress.last();
        restore();
        goOn(before);
        Optional<String> fault = progress.firstFault(CASES);
        out.println();
        if (fault.isPresent()) {
            out.println("FAILED: " + fault.get() + ".");
            return false;
        }
        out.println("OK: cases 1 to " + CASES + " are in sequence, with no gap and no repeat.");
        return true;
    }

    private void startService() throws IOException {
        begin();
        service = CriuService.start(RpcAddress.of(directory.resolve("service.sock")), engine, ServiceOptions.DEFAULT.withSocketMode("rw-------"));
        done("Service", "CRIU RPC on the SOCK_SEQPACKET socket service.sock, engine " + engine.name());
    }

    private void startRun() throws IOException, InterruptedException {
        begin();
        run = TestRun.start(directory, directory.resolve("progress.txt"), CASES);
        pids = List.of(run.pid());
        waitFor("the test run to reach case " + CASES_BEFORE, () -> {
            if (run.hasEnded()) {
                throw new IOException("the test run ended early; it said: " + Files.readString(directory.resolve("soak.out")).strip());
            }
            return progress.last() >= CASES_BEFORE;
        });
        pids = run.tree();
        done("Test run", "python3 soak.py, " + pids.size() + " processes (" + numbers() + "), " + TestRun.threads(pids)
                + " threads, 2 pipes between them; " + progress.last() + " of " + CASES + " cases done");
    }

    private void dump() throws IOException {
        begin();
        Files.createDirectory(images);
        try (CriuClient client = CriuClient.connect(service.address())) {
            // Left stopped: its progress must not move on between the dump and the kill, or those cases would be done twice.
            client.dump(run.pid(), images, options -> options.setLeaveStopped(true).setLogLevel(4).setLogFile("dump.log"));
        }
        done("Dump", "request sent as a CRIU client, with an images_dir_fd; " + Text.size(Text.sizeOf(images)) + " of images; the run stands still at case "
                + progress.last());
    }

    private void pack() throws IOException {
        begin();
        Manifest manifest = CheckpointPacker.pack(images, archive);
        long size = Files.size(archive);
        done("Pack", String.format(Locale.ROOT, "%d files into %s, %s (%d%%), with a manifest that has the SHA-256 of each",
                manifest.files().size(), archive.getFileName(), Text.size(size), size * 100 / Math.max(1, manifest.bytes())));
    }

    private void kill() throws IOException, InterruptedException {
        begin();
        run.kill(pids);
        for (int pid : pids) {
            waitFor("pid " + pid + " to be reaped by its parent (in a container, by the init process)", () -> TestRun.isFree(pid));
        }
        delete(images);
        done("Kill", "pids " + numbers() + " killed and gone, and the images directory with them; only the archive is left");
    }

    private void unpack() throws IOException {
        begin();
        Manifest manifest = CheckpointUnpacker.unpack(archive, unpacked, ArchiveLimits.DEFAULT);
        done("Unpack", manifest.files().size() + " files, " + Text.size(manifest.bytes()) + ", verified, into another directory");
    }

    private void restore() throws IOException {
        begin();
        try (CriuClient client = CriuClient.connect(service.address())) {
            restored = client.restore(unpacked, options -> options.setLogLevel(4).setLogFile("restore.log"));
        }
        done("Restore", "through the service; pid " + run.pid() + " is back"
                + (restored == run.pid() ? "" : ", in a pid namespace, since this user may not choose pids; outside of it, it is " + restored));
    }

    private void goOn(int before) throws IOException, InterruptedException {
        begin();
        waitFor("the restored run to finish its next case", () -> progress.last() > before || TestRun.isOver(restored));
        int after = progress.last();
        waitFor("the restored run to end", () -> TestRun.isOver(restored));
        done("Going on", "stood at case " + before + ", went on with case " + Math.min(after, before + 1) + ", ended by itself after case " + progress.last());
    }

    private void begin() {
        step++;
        started = System.nanoTime();
    }

    private void done(String name, String what) {
        out.printf(Locale.ROOT, "%d  %-9s %8s  %s%n", step, name, Text.since(started), what);
    }

    private String numbers() {
        return pids.stream().map(String::valueOf).collect(Collectors.joining(" "));
    }

    private static void waitFor(String what, Condition condition) throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > end) {
                throw new IOException("gave up waiting for " + what + " after " + PATIENCE.toSeconds() + " s");
            }
            Thread.sleep(10);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    /** Ends everything that the demo started, restored processes too. */
    @Override
    public void close() throws IOException {
        if (run != null) {
            run.kill(pids);
            run.kill(restored > 0 ? TestRun.tree(restored) : List.of());
        }
        if (service != null) {
            service.close();
        }
    }
}
