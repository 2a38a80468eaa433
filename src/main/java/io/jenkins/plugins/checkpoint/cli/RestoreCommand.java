// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.rpc.DirectoryDescriptor;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code restore}: asks a service to bring back what a directory holds. */
@Command(name = "restore", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Brings the processes back that an images directory holds; they run on without this command.")
final class RestoreCommand implements Callable<Integer> {
    @Option(names = {"-D", "--images-dir"}, required = true, paramLabel = "DIR", description = "the images")
    private Path images;

    @Option(names = {"-W", "--work-dir"}, paramLabel = "DIR", description = "where the engine's log goes (default: the images directory)")
    private Path work;

    @Option(names = {"-j", "--shell-job"}, description = "allow a tree that belongs to a session or terminal outside of it")
    private boolean shellJob;

    @Option(names = "--tcp-established", description = "restore established TCP connections")
    private boolean tcpEstablished;

    @Option(names = "--ext-unix-sk", description = "reconnect Unix sockets to processes outside of the tree")
    private boolean extUnixSk;

    @Option(names = {"-l", "--file-locks"}, description = "restore file locks")
    private boolean fileLocks;

    @Option(names = "--pidfile", paramLabel = "FILE", description = "writes the root's pid there")
    private Path pidfile;

    @Option(names = {"-o", "--log-file"}, paramLabel = "NAME", defaultValue = "restore.log", description = "the engine's log (default: ${DEFAULT-VALUE})")
    private String logFile;

    @Option(names = {"-v", "--log-level"}, paramLabel = "N", defaultValue = "2", description = "how much of it, 0 to 4 (default: ${DEFAULT-VALUE})")
    private int logLevel;

    @Mixin
    private ServiceLink service;

    @Override
    public Integer call() throws IOException {
        try (DirectoryDescriptor workDirectory = work == null ? null : DirectoryDescriptor.open(work)) {
            service.connected(client -> {
                long start = System.nanoTime();
                int pid = client.restore(images, options -> {
                    set(options);
                    if (workDirectory != null) {
                        options.setWorkDirFd(workDirectory.number());
                    }
                });
                if (pidfile != null) {
                    Files.writeString(pidfile, pid + "\n");
                }
                System.out.println("pid " + pid + " restored from " + images + " in " + Text.since(start));
            });
        }
        return 0;
    }

    private void set(criu_opts.Builder options) {
        options.setLogFile(logFile).setLogLevel(logLevel);
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
    }
}
