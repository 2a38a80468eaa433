// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.ArchiveLimits;
import io.jenkins.plugins.checkpoint.archive.CheckpointUnpacker;
import io.jenkins.plugins.checkpoint.archive.HostFacts;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code unpack}: verifies an archive and lays its images out. */
@Command(name = "unpack", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Unpacks an archive into a new directory, once all of it is verified; a damaged one leaves nothing behind.")
final class UnpackCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "ARCHIVE", description = "made by pack")
    private Path archive;

    @Parameters(index = "1", paramLabel = "DIR", description = "a directory that does not exist yet, or is empty")
    private Path images;

    @Option(names = "--max-size", paramLabel = "BYTES", description = "refuse an archive that unpacks to more (default: 1 TiB)")
    private Long maxSize;

    @Override
    public Integer call() throws IOException {
        long start = System.nanoTime();
        ArchiveLimits limits = maxSize == null ? ArchiveLimits.DEFAULT : ArchiveLimits.DEFAULT.withBytes(maxSize);
        AtomicLong read = new AtomicLong();
        Manifest manifest;
        try (ProgressBar bar = ProgressBar.start("unpacking", read::get, Files.isRegularFile(archive) ? Files.size(archive) : 0)) {
            manifest = CheckpointUnpacker.unpack(archive, images, limits, file -> true, read::set);
        }
        System.out.println(manifest.files().size() + " files, " + Text.size(manifest.bytes()) + ", verified and unpacked into " + images + " in "
                + Text.since(start));
        for (String reason : HostFacts.lacks(manifest.host(), HostFacts.current())) {
            System.out.println("warning: a restore here may fail: " + reason);
        }
        return 0;
    }
}
