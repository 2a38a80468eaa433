// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.rpc.CriuClient;
import io.jenkins.plugins.checkpoint.rpc.DirectoryDescriptor;
import io.jenkins.plugins.checkpoint.rpc.proto.RpcProto.criu_opts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** The options that a dump and its restore have in common: where the images are, what is allowed, how much is logged. */
final class ImageOptions {
    @Option(names = {"-D", "--images-dir"}, required = true, paramLabel = "DIR", description = "an existing directory: the images")
    private Path images;

    @Option(names = {"-W", "--work-dir"}, paramLabel = "DIR", description = "where the engine's log goes (default: the images directory)")
    private Path work;

    @Option(names = {"-j", "--shell-job"}, description = "allow a tree that belongs to a session or terminal outside of it")
    private boolean shellJob;

    @Option(names = "--tcp-established", description = "keep established TCP connections")
    private boolean tcpEstablished;

    @Option(names = "--ext-unix-sk", description = "allow Unix sockets connected to processes outside of the tree")
    private boolean extUnixSk;

    @Option(names = {"-l", "--file-locks"}, description = "keep file locks")
    private boolean fileLocks;

    @Option(names = {"-o", "--log-file"}, paramLabel = "NAME", description = "the engine's log (default: dump.log or restore.log)")
    private String logFile;

    @Option(names = {"-v", "--log-level"}, paramLabel = "N", defaultValue = "2", description = "how much of it, 0 to 4 (default: ${DEFAULT-VALUE})")
    private int logLevel;

    Path images() {
        return images;
    }

    /** A question about the images directory, such as {@link CriuClient#restore}. */
    interface Question<T> {
        /** Asks, with options that the given function sets. */
        T ask(Path images, Consumer<criu_opts.Builder> settings) throws IOException;
    }

    /**
     * Asks a service with these options.
     *
     * @param log the log's name where none was given
     * @param more sets what only this question has
     * @param question what is asked
     * @return its answer
     * @throws IOException if a directory is missing, or the answer is no
     */
    <T> T ask(String log, Consumer<criu_opts.Builder> more, Question<T> question) throws IOException {
        try (DirectoryDescriptor workDirectory = work == null ? null : DirectoryDescriptor.open(work)) {
            return question.ask(images, options -> {
                options.setLogFile(logFile == null ? log : logFile).setLogLevel(logLevel);
                if (workDirectory != null) {
                    options.setWorkDirFd(workDirectory.number());
                }
                set(shellJob, options::setShellJob);
                set(tcpEstablished, options::setTcpEstablished);
                set(extUnixSk, options::setExtUnixSk);
                set(fileLocks, options::setFileLocks);
                more.accept(options);
            });
        }
    }

    /** Fields that are not asked for stay away: an older engine may not know them. */
    static void set(boolean wanted, Consumer<Boolean> field) {
        if (wanted) {
            field.accept(true);
        }
    }
}
