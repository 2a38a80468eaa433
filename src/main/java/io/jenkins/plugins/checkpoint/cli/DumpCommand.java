// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.CheckpointPacker;
import io.jenkins.plugins.checkpoint.archive.PackOptions;
import io.jenkins.plugins.checkpoint.rpc.DirectoryDescriptor;
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

    @Option(names = {"-D", "--images-dir"}, required = true, paramLabel = "DIR", description = "an existing directory for the images")
    private Path images;

    @Option(names = {"-W", "--work-dir"}, paramLabel = "DIR", description = "where the engine's log goes (default: the images directory)")
    private Path work;

    @Option(names = {"-R", "--leave-running"}, description = "let the processes run on after the dump; else they are killed")
    private boolean leaveRunning;

    @Option(names = {"-s", "--leave-stopped"}, description = "leave the processes stopped after the dump")
    private boolean leaveStopped;

    @Option(names = {"-j", "--shell-job"}, description = "allow a tree that belongs to a session or terminal outside of it")
    private boolean shellJob;

    @Option(names = "--tcp-established", description = "dump established TCP connections")
    private boolean tcpEstablished;

    @Option(names = "--ext-unix-sk", description = "allow Unix sockets connected to processes outside of the tree")
    private boolean extUnixSk;

    @Option(names = {"-l", "--file-locks"}, description = "dump file locks")
    private boolean fileLocks;

    @Option(names = "--evasive-devices", description = "use any path to a device file if the original one is gone")
    private boolean evasiveDevices;

    @Option(names = "--link-remap", description = "allow deleted files that have another name")
    private boolean linkRemap;

    @Option(names = {"-o", "--log-file"}, paramLabel = "NAME", defaultValue = "dump.log", description = "the engine's log (default: ${DEFAULT-VALUE})")
    private String logFile;

    @Option(names = {"-v", "--log-level"}, paramLabel = "N", defaultValue = "2", description = "how much of it, 0 to 4 (default: ${DEFAULT-VALUE})")
    private int logLevel;

    @Option(names = "--archive", paramLabel = "FILE", description = "packs the images into this archive too, as the verb pack does")
    private Path archive;

    @Mixin
    private CompressionChoice compression;

    @Mixin
    private ServiceLink service;

    @Override
    public Integer call() throws IOException {
        try (DirectoryDescriptor workDirectory = work == null ? null : DirectoryDescriptor.open(work)) {
            service.connected(client -> {
                long start = System.nanoTime();
                client.dump(pid, images, options -> {
                    set(options);
                    if (workDirectory != null) {
                        options.setWorkDirFd(workDirectory.number());
                    }
                });
                System.out.println("pid " + pid + " dumped into " + images + ", " + Text.size(Text.sizeOf(images)) + ", in " + Text.since(start));
            });
        }
        if (archive != null) {
            long start = System.nanoTime();
            CheckpointPacker.pack(images, archive, PackOptions.DEFAULT.withCompression(compression.chosen()));
            System.out.println("packed into " + archive + ", " + Text.size(Files.size(archive)) + ", in " + Text.since(start));
        }
        return 0;
    }

    private void set(criu_opts.Builder options) {
        options.setLeaveRunning(leaveRunning).setLogFile(logFile).setLogLevel(logLevel);
        // Fields that are not asked for stay away: an older engine may not know them.
        if (leaveStopped) {
            options.setLeaveStopped(true);
        }
        if (shellJob) {
            options.setShellJob(true);
        }
        if (tcpEstablished) {
            options.setTcpEstablished(true);
        }
        if (extUnixSk) {
            options.setExtUnixSk(true);
        }
        if (fileLocks) {
            options.setFileLocks(true);
        }
        if (evasiveDevices) {
            options.setEvasiveDevices(true);
        }
        if (linkRemap) {
            options.setLinkRemap(true);
        }
    }
}
