// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

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
    @Mixin
    private ImageOptions options;

    @Option(names = "--pidfile", paramLabel = "FILE", description = "writes the root's pid there")
    private Path pidfile;

    @Mixin
    private ServiceLink service;

    @Override
    public Integer call() throws IOException {
        service.connected(client -> {
            long start = System.nanoTime();
            int pid;
            // The protocol tells nothing on the way.
            try (ProgressBar bar = ProgressBar.start("restoring " + Text.size(Text.sizeOf(options.images())), () -> 0, 0)) {
                pid = options.ask("restore.log", opts -> {}, client::restore);
            }
            if (pidfile != null) {
                Files.writeString(pidfile, pid + "\n");
            }
            System.out.println("pid " + pid + " restored from " + options.images() + " in " + Text.since(start));
        });
        return 0;
    }
}
