// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.Json;
import io.jenkins.plugins.checkpoint.image.CheckpointDiff;
import io.jenkins.plugins.checkpoint.image.PageComparison;
import io.jenkins.plugins.checkpoint.report.DiffReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code diff}: shows what changed between two checkpoints. */
@Command(name = "diff", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Shows what changed from one checkpoint to a later one of the same processes: processes, memory page by page, descriptors, positions in files.")
final class DiffCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "BEFORE", description = "an images directory, or an archive made by pack")
    private Path before;

    @Parameters(index = "1", paramLabel = "AFTER", description = "a later one")
    private Path after;

    @Option(names = "--json", description = "as JSON")
    private boolean json;

    @Option(names = "--html", paramLabel = "FILE", description = "writes a report there, one HTML file that needs nothing else; replaces an older one")
    private Path html;

    @Override
    public Integer call() throws IOException {
        CheckpointDiff diff;
        try (OpenedCheckpoint a = OpenedCheckpoint.open(before, file -> true); OpenedCheckpoint b = OpenedCheckpoint.open(after, file -> true)) {
            diff = PageComparison.compare(a.directory(), b.directory());
        }
        DiffReport report = new DiffReport(diff);
        if (html != null) {
            OutputFile.write(html, report.html(before.toString(), after.toString()));
        }
        if (json) {
            System.out.print(Json.write(report.json()));
        } else if (html != null) {
            System.out.println("report written to " + html);
        } else {
            System.out.print(report.text());
        }
        return 0;
    }
}
