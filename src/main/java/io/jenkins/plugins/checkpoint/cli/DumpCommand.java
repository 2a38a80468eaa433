// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.FollowingPacker;
import io.jenkins.plugins.checkpoint.archive.PackOptions;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
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

    @Option(names = "--archive", paramLabel = "FILE", description = "packs the images into this archive too, as the verb pack does")
    private Path archive;

    @Mixin
    private CompressionChoice compression;

    @Mixin
    private ServiceLink service;

    @Override
    public Integer call() throws IOException {
        PackOptions packing = PackOptions.DEFAULT.withCompression(compression.chosen());
        try (FollowingPacker packer = archive == null ? null : FollowingPacker.start(options.images(), archive, packing)) {
            long start = System.nanoTime();
            service.connected(client -> options.ask("dump.log", this::set, (images, settings) -> client.dump(pid, images, settings)));
            System.out.println("pid " + pid + " dumped into " + options.images() + ", " + Text.size(Text.sizeOf(options.images())) + ", in " + Text.since(start));
            if (packer != null) {
                packer.finish();
                System.out.println("packed into " + archive + ", " + Text.size(Files.size(archive)) + ", in " + Text.since(start) + " altogether");
            }
        }
        return 0;
    }

    private void set(criu_opts.Builder opts) {
        opts.setLeaveRunning(leaveRunning);
        ImageOptions.set(leaveStopped, opts::setLeaveStopped);
        ImageOptions.set(evasiveDevices, opts::setEvasiveDevices);
        ImageOptions.set(linkRemap, opts::setLinkRemap);
    }
}
