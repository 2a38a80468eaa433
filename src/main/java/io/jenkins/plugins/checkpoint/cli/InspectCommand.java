// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.ArchiveLimits;
import io.jenkins.plugins.checkpoint.archive.CheckpointUnpacker;
import io.jenkins.plugins.checkpoint.archive.Json;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointReader;
import io.jenkins.plugins.checkpoint.image.CheckpointSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code inspect}: shows what a checkpoint holds. */
@Command(name = "inspect", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Shows what a checkpoint holds: processes, command lines, threads, memory, files, times. An archive is verified on the way.")
final class InspectCommand implements Callable<Integer> {
    // Enough for the pages of small programs; of larger ones the command line is not worth unpacking gigabytes.
    private static final long MAX_UNPACKED = 256L << 20;

    @Parameters(index = "0", paramLabel = "DIR|ARCHIVE", description = "an images directory, or an archive made by pack")
    private Path checkpoint;

    @Option(names = "--json", description = "as JSON")
    private boolean json;

    @Option(names = "--unmasked", description = "show arguments that look like secrets, such as the value of --password, as they are")
    private boolean unmasked;

    @Override
    public Integer call() throws IOException {
        if (Files.isDirectory(checkpoint)) {
            show(CheckpointReader.read(checkpoint), null);
            return 0;
        }
        Path directory = Files.createTempDirectory("process-checkpoint-");
        try {
            Manifest manifest = CheckpointUnpacker.unpack(checkpoint, directory, ArchiveLimits.DEFAULT, file -> file.size() <= MAX_UNPACKED);
            show(CheckpointReader.read(directory), manifest);
        } finally {
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
        return 0;
    }

    private void show(Checkpoint whole, Manifest manifest) {
        Checkpoint content = unmasked ? whole : CheckpointSummary.of(whole, CheckpointSummary.Limits.NONE, List.of());
        if (json) {
            System.out.print(Json.write(CheckpointText.json(content, manifest)));
        } else {
            System.out.print(CheckpointText.text(checkpoint, content, manifest));
        }
    }
}
