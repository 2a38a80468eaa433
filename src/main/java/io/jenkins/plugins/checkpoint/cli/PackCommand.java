// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.CheckpointPacker;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import io.jenkins.plugins.checkpoint.archive.PackOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pack}: makes an archive of an images directory. */
@Command(name = "pack", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Packs an images directory into an archive (tar, compressed) with a manifest: sizes, SHA-256, kernel, CPU, process tree, times."
                + " An incremental dump becomes a whole one.")
final class PackCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "DIR", description = "the images directory")
    private Path images;

    @Parameters(index = "1", paramLabel = "ARCHIVE", description = "the file to make, such as soak.tar.zst")
    private Path archive;

    @Option(names = "--manifest", paramLabel = "FILE", description = "writes the manifest there too")
    private Path copy;

    @Mixin
    private CompressionChoice compression;

    @Override
    public Integer call() throws IOException {
        long start = System.nanoTime();
        AtomicLong done = new AtomicLong();
        Manifest manifest;
        try (ProgressBar bar = ProgressBar.start("packing", done::get, Files.isDirectory(images) ? Text.sizeOf(images) : 0)) {
            manifest = CheckpointPacker.pack(images, archive, PackOptions.DEFAULT.withCompression(compression.chosen()).withProgress(done::set));
        }
        if (copy != null) {
            Files.writeString(copy, manifest.toJson());
        }
        System.out.println(manifest.files().size() + " files, " + Text.size(manifest.bytes()) + ", packed into " + archive + ", "
                + Text.size(Files.size(archive)) + ", in " + Text.since(start));
        return 0;
    }
}
