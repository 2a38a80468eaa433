// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.Json;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointReader;
import io.jenkins.plugins.checkpoint.image.CheckpointSummary;
import io.jenkins.plugins.checkpoint.report.CheckpointReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
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

    @Option(names = "--html", paramLabel = "FILE", description = "writes a report there, one HTML file that needs nothing else; replaces an older one")
    private Path html;

    @Option(names = "--unmasked", description = "show arguments that look like secrets, such as the value of --password, as they are")
    private boolean unmasked;

    @Override
    public Integer call() throws IOException {
        try (OpenedCheckpoint opened = OpenedCheckpoint.open(checkpoint, file -> file.size() <= MAX_UNPACKED)) {
            show(CheckpointReader.read(opened.directory()), opened.manifest());
        }
        return 0;
    }

    private void show(Checkpoint whole, Manifest manifest) throws IOException {
        if (html != null) {
            Checkpoint content = CheckpointSummary.of(whole, CheckpointSummary.Limits.REPORT, List.of());
            long archived = manifest == null ? -1 : Files.size(checkpoint);
            OutputFile.write(html, new CheckpointReport(checkpoint.toAbsolutePath().normalize().getFileName().toString(), content, manifest, archived).html());
            if (!json) {
                System.out.println("report on " + checkpoint + " written to " + html);
                return;
            }
        }
        Checkpoint content = unmasked ? whole : CheckpointSummary.of(whole, CheckpointSummary.Limits.NONE, List.of());
        if (json) {
            System.out.print(Json.write(CheckpointText.json(content, manifest)));
        } else {
            System.out.print(CheckpointText.text(checkpoint, content, manifest));
        }
    }
}
