// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import com.github.luben.zstd.ZstdOutputStream;
import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointJson;
import io.jenkins.plugins.checkpoint.image.CheckpointReader;
import io.jenkins.plugins.checkpoint.image.CheckpointSummary;
import io.jenkins.plugins.checkpoint.image.Task;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Makes an archive of an images directory. */
public final class CheckpointPacker {
    static final String PREFIX = "images/";
    // The default of zstd(1): a good deal faster than disks, a third to a tenth of the size.
    private static final int LEVEL = 3;

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
        return pack(images, archive, List.of());
    }

    /**
     * Packs a directory, as {@link #pack(Path, Path)}, and keeps secrets out of the manifest.
     *
     * @param images an images directory
     * @param archive the file to make
     * @param secrets values that the manifest must not show, beside what looks like a secret; the images keep what they hold
     * @return what the archive says of itself
     * @throws IOException as there
     */
    public static Manifest pack(Path images, Path archive, Collection<String> secrets) throws IOException {
        if (Files.exists(archive, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(archive.toString());
        }
        Manifest manifest = describe(images, secrets);
        Path parent = archive.toAbsolutePath().getParent();
        Path temporary = Files.createTempFile(parent, "." + archive.getFileName(), ".part");
        try {
            write(images, manifest, temporary);
            Files.move(temporary, archive, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary);
        }
        return manifest;
    }

    private static Manifest describe(Path images, Collection<String> secrets) throws IOException {
        Checkpoint checkpoint = CheckpointReader.read(images);
        List<Path> paths;
        try (Stream<Path> list = Files.list(images)) {
            paths = list.sorted().toList();
        }
        List<Manifest.FileEntry> files = new ArrayList<>();
        for (Path path : paths) {
            files.add(describeFile(path));
        }
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
        return new Manifest(Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(), HostFacts.current(), files, tree, timings,
                CheckpointJson.write(CheckpointSummary.of(checkpoint, secrets)));
    }

    private static Manifest.FileEntry describeFile(Path path) throws IOException {
        String name = path.getFileName().toString();
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            if (name.equals("parent") && Files.isSymbolicLink(path)) {
                throw new ArchiveException(path + ": this is an incremental dump, which needs the directory that this link names; only whole dumps can be packed yet");
            }
            throw new ArchiveException(path + " is not a plain file; an images directory has only these");
        }
        if (!Manifest.isFileName(name)) {
            throw new ArchiveException("file name \"" + Manifest.printable(name) + "\" in " + path.getParent()
                    + ": only printable ASCII without blanks, up to 90 characters, can be packed; rename or remove it");
        }
        long size = Files.size(path);
        try (InputStream in = open(path)) {
            String hash = Hashes.copy(in, OutputStream.nullOutputStream(), size);
            if (hash == null) {
                throw changed(path);
            }
            return new Manifest.FileEntry(name, size, hash);
        }
    }

    private static void write(Path images, Manifest manifest, Path archive) throws IOException {
        ZstdOutputStream zstd = new ZstdOutputStream(Files.newOutputStream(archive), LEVEL);
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(zstd, StandardCharsets.US_ASCII.name())) {
            zstd.setChecksum(true);
            zstd.setWorkers(Math.min(4, Runtime.getRuntime().availableProcessors()));
            tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_ERROR);
            byte[] json = manifest.toJson().getBytes(StandardCharsets.UTF_8);
            tar.putArchiveEntry(entry(Manifest.ENTRY, json.length, manifest));
            tar.write(json);
            tar.closeArchiveEntry();
            for (Manifest.FileEntry image : manifest.files()) {
                tar.putArchiveEntry(entry(PREFIX + image.name(), image.size(), manifest));
                copy(images.resolve(image.name()), image, tar);
                tar.closeArchiveEntry();
            }
        }
        try (FileChannel channel = FileChannel.open(archive, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    // Every file is read twice, first for the manifest, so compared: what the manifest promises is what was written.
    private static void copy(Path path, Manifest.FileEntry image, OutputStream out) throws IOException {
        try (InputStream in = open(path)) {
            if (!image.sha256().equals(Hashes.copy(in, out, image.size())) || in.read() >= 0) {
                throw changed(path);
            }
        }
    }

    private static TarArchiveEntry entry(String name, long size, Manifest manifest) {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(size);
        entry.setMode(0100600);
        entry.setModTime(Instant.parse(manifest.created()).toEpochMilli());
        return entry;
    }

    private static InputStream open(Path path) throws IOException {
        return Files.newInputStream(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    }

    private static ArchiveException changed(Path path) {
        return new ArchiveException(path + " changed while it was being packed");
    }
}
