// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointJson;
import io.jenkins.plugins.checkpoint.image.CheckpointReader;
import io.jenkins.plugins.checkpoint.image.CheckpointSummary;
import io.jenkins.plugins.checkpoint.image.Task;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Makes an archive of an images directory that is whole, in one pass. Of an incremental dump it makes a whole one. */
public final class CheckpointPacker {
    static final String PREFIX = "images/";

    private CheckpointPacker() {}

    /**
     * Packs a directory. The archive appears under its name only when it is whole and on disk.
     *
     * @param images an images directory
     * @param archive the file to make
     * @return what the archive says of itself
     * @throws FileAlreadyExistsException if the archive's name is taken
     * @throws ArchiveException if the directory holds something that is no file, or changes meanwhile
     * @throws IOException if the images are damaged, or something cannot be read or written
     */
    public static Manifest pack(Path images, Path archive) throws IOException {
        return pack(images, archive, PackOptions.DEFAULT);
    }

    /**
     * Packs a directory, as {@link #pack(Path, Path)}.
     *
     * @param images an images directory; an incremental dump's earlier ones must be where its links say
     * @param archive the file to make
     * @param options how
     * @return what the archive says of itself
     * @throws IOException as there
     */
    public static Manifest pack(Path images, Path archive, PackOptions options) throws IOException {
        requireFree(archive);
        Instant created = now();
        Manifest manifest = describe(images, created, options.secrets());
        List<PackedFile> files = PackedFile.of(images);
        try (ArchiveWriter writer = new ArchiveWriter(archive, created, ArchiveWriter.roomFor(manifest, files, options.compression()), options)) {
            if (files.stream().filter(file -> GrowingPages.isPages(file.name())).limit(2).count() > 1) {
                writer.expectRepeats();
            }
            for (PackedFile file : files) {
                writer.add(file);
            }
            return writer.finish(manifest);
        }
    }

    static void requireFree(Path archive) throws IOException {
        if (Files.exists(archive, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(archive.toString());
        }
    }

    /** The time that an archive made now says. */
    static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.SECONDS);
    }

    /** What the images tell of themselves; without files. */
    static Manifest describe(Path images, Instant created, Collection<String> secrets) throws IOException {
        Checkpoint checkpoint = CheckpointReader.read(images);
        List<Manifest.ProcessEntry> tree = new ArrayList<>();
        for (Task task : checkpoint.tasks()) {
            tree.add(new Manifest.ProcessEntry(task.pid(), task.parent(), task.group(), task.session(), task.threadIds(), task.name()));
        }
        Map<String, Long> timings = new TreeMap<>();
        checkpoint.stats().ifPresent(stats -> {
            timings.put("freezing", stats.freezing());
            timings.put("frozen", stats.frozen());
            timings.put("memoryDump", stats.memoryDump());
            timings.put("memoryWrite", stats.memoryWrite());
        });
        return new Manifest(created.toString(), HostFacts.current(), List.of(), tree, timings,
                CheckpointJson.write(CheckpointSummary.of(checkpoint, secrets)));
    }
}
