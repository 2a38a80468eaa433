// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import io.jenkins.plugins.checkpoint.archive.ArchiveLimits;
import io.jenkins.plugins.checkpoint.archive.CheckpointUnpacker;
import io.jenkins.plugins.checkpoint.archive.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A checkpoint named on the command line: an images directory, or an archive, which is verified and unpacked until it is closed. */
final class OpenedCheckpoint implements AutoCloseable {
    private final Path directory;
    private final Manifest manifest;

    private OpenedCheckpoint(Path directory, Manifest manifest) {
        this.directory = directory;
        this.manifest = manifest;
    }

    /**
     * Opens one.
     *
     * @param path a directory or an archive
     * @param wanted which files of an archive are unpacked
     * @return the checkpoint; the caller closes it
     * @throws IOException if it is neither, is damaged, or cannot be read
     */
    static OpenedCheckpoint open(Path path, Predicate<Manifest.FileEntry> wanted) throws IOException {
        if (Files.isDirectory(path)) {
            return new OpenedCheckpoint(path, null);
        }
        Path temporary = Files.createTempDirectory("process-checkpoint-");
        try {
            return new OpenedCheckpoint(temporary, CheckpointUnpacker.unpack(path, temporary, ArchiveLimits.DEFAULT, wanted));
        } catch (IOException | RuntimeException e) {
            delete(temporary);
            throw e;
        }
    }

    /** Its images. */
    Path directory() {
        return directory;
    }

    /** What the archive says of itself; null for a directory. */
    Manifest manifest() {
        return manifest;
    }

    @Override
    public void close() throws IOException {
        if (manifest != null) {
            delete(directory);
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
