// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.FollowingPacker;
import io.jenkins.plugins.checkpoint.archive.PackOptions;
import io.jenkins.plugins.checkpoint.rpc.CriuClient;
import io.jenkins.plugins.checkpoint.rpc.CriuException;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_resp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dump}: asks a service to dump a process tree into a directory. */
@Command(name = "dump", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Dumps a process with all its children into a directory. If that fails, they run on as they were.")
final class DumpCommand implements Callable<Integer> {
    @Option(names = {"-t", "--tree", "--pid"}, required = true, paramLabel = "PID", description = "root of the process tree")
    private int pid;

    @Mixin
    private ImageOptions options;

    @Option(names = {"-R", "--leave-running"}, description = "let the processes run on after the dump; else they are killed")
    private boolean leaveRunning;

    @Option(names = {"-s", "--leave-stopped"}, description = "leave the processes stopped after the dump")
    private boolean leaveStopped;

    @Option(names = "--evasive-devices", description = "use any path to a device file if the original one is gone")
    private boolean evasiveDevices;

    @Option(names = "--link-remap", description = "allow deleted files that have another name")
    private boolean linkRemap;

    @Option(names = "--archive", paramLabel = "FILE", description = "packs the images into this archive too, while they are written")
    private Path archive;

    @Mixin
    private CompressionChoice compression;

    @Mixin
    private ServiceLink service;

    @Override
    public Integer call() throws IOException {
        AtomicLong packed = new AtomicLong();
        PackOptions packing = PackOptions.DEFAULT.withCompression(compression.chosen()).withProgress(packed::set);
        try (FollowingPacker packer = archive == null ? null : FollowingPacker.start(options.images(), archive, packing)) {
            long start = System.nanoTime();
            try (ProgressBar bar = ProgressBar.start("dumping", this::written, 0)) {
                service.connected(client -> options.ask("dump.log", this::set, (images, settings) -> ask(client, images, settings, packer)));
            }
            System.out.println("pid " + pid + " dumped into " + options.images() + ", " + Text.size(Text.sizeOf(options.images())) + ", in " + Text.since(start));
            if (packer != null) {
                finish(packer, packed);
                System.out.println("packed into " + archive + ", " + Text.size(Files.size(archive)) + ", in " + Text.since(start) + " altogether");
            }
        }
        return 0;
    }

    // The protocol tells nothing on the way, but the images grow.
    private long written() {
        try {
            return Text.sizeOf(options.images());
        } catch (IOException e) {
            return 0;
        }
    }

    // Processes that are to end can still go on when there is no room for the archive.
    private criu_resp ask(CriuClient client, Path images, Consumer<criu_opts.Builder> settings, FollowingPacker packer) throws IOException {
        if (packer == null || leaveRunning) {
            return client.dump(pid, images, settings);
        }
        IOException[] failure = new IOException[1];
        try {
            return client.dump(pid, images, settings, notification -> {
                try {
                    packer.check();
                } catch (IOException e) {
                    failure[0] = e;
                }
                return failure[0] == null;
            });
        } catch (CriuException e) {
            throw failure[0] == null ? e : new IOException("pid " + pid + " runs on, since its dump cannot be packed into " + archive + ": "
                    + failure[0].getMessage(), e);
        }
    }

    private void finish(FollowingPacker packer, AtomicLong packed) throws IOException {
        try (ProgressBar bar = ProgressBar.start("packing", packed::get, written())) {
            packer.finish();
        } catch (IOException e) {
            throw new IOException("the dump in " + options.images() + " is whole, but it cannot be packed into " + archive + ": " + e.getMessage(), e);
        }
    }

    private void set(criu_opts.Builder opts) {
        opts.setLeaveRunning(leaveRunning);
        ImageOptions.set(leaveStopped, opts::setLeaveStopped);
        ImageOptions.set(evasiveDevices, opts::setEvasiveDevices);
        ImageOptions.set(linkRemap, opts::setLinkRemap);
    }
}
