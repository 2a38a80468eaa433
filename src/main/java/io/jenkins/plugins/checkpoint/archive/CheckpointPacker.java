// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import io.jenkins.plugins.checkpoint.image.Checkpoint;
import io.jenkins.plugins.checkpoint.image.CheckpointJson;
import io.jenkins.plugins.checkpoint.image.CheckpointReader;
import io.jenkins.plugins.checkpoint.image.CheckpointSummary;
import io.jenkins.plugins.checkpoint.image.Task;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
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
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * Makes an archive of an images directory, in one pass: room is left for the manifest, which comes first and has the hashes that are known
 * last. Of an incremental dump it makes a whole one.
 */
public final class CheckpointPacker {
    static final String PREFIX = "images/";
    private static final String NO_HASH = "0".repeat(64);
    private static final int TAR_BLOCK = 512;

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
        if (Files.exists(archive, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(archive.toString());
        }
        Manifest manifest = describe(images, options.secrets());
        List<PackedFile> files = PackedFile.of(images);
        Path parent = archive.toAbsolutePath().getParent();
        Path temporary = Files.createTempFile(parent, "." + archive.getFileName(), ".part");
        try {
            Manifest whole = write(manifest, files, temporary, options);
            Files.move(temporary, archive, StandardCopyOption.ATOMIC_MOVE);
            return whole;
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static Manifest describe(Path images, Collection<String> secrets) throws IOException {
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
        return new Manifest(Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(), HostFacts.current(), List.of(), tree, timings,
                CheckpointJson.write(CheckpointSummary.of(checkpoint, secrets)));
    }

    private static Manifest write(Manifest manifest, List<PackedFile> files, Path archive, PackOptions options) throws IOException {
        Compression compression = options.compression();
        List<Manifest.FileEntry> unknown = files.stream().map(file -> new Manifest.FileEntry(file.name(), file.size(), NO_HASH)).toList();
        byte[] start = firstEntry(manifest.withFiles(unknown));
        // Without compression a tar of exactly that size; else what hashes take more than zeros do, in hex at the worst.
        int slack = compression.method() == Compression.Method.NONE ? 0 : 64 * files.size() + 512;
        int room = compress(start, compression).length + slack;
        try (FileChannel channel = FileChannel.open(archive, StandardOpenOption.WRITE)) {
            channel.position(room);
            Manifest whole = manifest.withFiles(writeFiles(manifest, files, Channels.newOutputStream(channel), options));
            byte[] now = firstEntry(whole);
            byte[] frame = compress(now, compression);
            int left = room - frame.length;
            if (now.length != start.length || (left != 0 && left < Compression.SKIPPABLE_HEADER)) {
                throw new IllegalStateException("the manifest takes " + frame.length + " bytes, and there is room for " + room);
            }
            writeAt(channel, frame, 0);
            if (left > 0) {
                writeAt(channel, Compression.skippable(left - Compression.SKIPPABLE_HEADER), frame.length);
            }
            channel.force(true);
            return whole;
        }
    }

    private static List<Manifest.FileEntry> writeFiles(Manifest manifest, List<PackedFile> files, OutputStream file, PackOptions options) throws IOException {
        List<Manifest.FileEntry> written = new ArrayList<>();
        OutputStream keptOpen = new OpenOutput(file);
        OutputStream compressed = options.compression().compress(keptOpen, Math.min(4, Runtime.getRuntime().availableProcessors()));
        try (TarArchiveOutputStream tar = tar(new HandOver(compressed, "checkpoint archive writer"))) {
            long before = 0;
            for (PackedFile next : files) {
                tar.putArchiveEntry(entry(PREFIX + next.name(), next.size(), manifest));
                long done = before;
                try (InputStream in = next.opener().open()) {
                    String hash = Hashes.copy(in, tar, next.size(), n -> options.progress().accept(done + n));
                    if (hash == null || in.read() >= 0) {
                        throw new ArchiveException(next.name() + " changed while it was being packed");
                    }
                    written.add(new Manifest.FileEntry(next.name(), next.size(), hash));
                }
                tar.closeArchiveEntry();
                before += next.size();
            }
        }
        return written;
    }

    // Without the end marker, which closing the tar would write.
    private static byte[] firstEntry(Manifest manifest) throws IOException {
        byte[] json = manifest.toJson().getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TarArchiveOutputStream tar = tar(bytes);
        tar.putArchiveEntry(entry(Manifest.ENTRY, json.length, manifest));
        tar.write(json);
        tar.closeArchiveEntry();
        tar.flush();
        return bytes.toByteArray();
    }

    private static byte[] compress(byte[] bytes, Compression compression) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream frame = compression.compress(out, 0)) {
            frame.write(bytes);
        }
        return out.toByteArray();
    }

    private static void writeAt(FileChannel channel, byte[] bytes, long position) throws IOException {
        ByteBuffer left = ByteBuffer.wrap(bytes);
        while (left.hasRemaining()) {
            channel.write(left, position + left.position());
        }
    }

    private static TarArchiveOutputStream tar(OutputStream out) throws IOException {
        TarArchiveOutputStream tar = new TarArchiveOutputStream(out, TAR_BLOCK, StandardCharsets.US_ASCII.name());
        tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
        tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_ERROR);
        return tar;
    }

    private static TarArchiveEntry entry(String name, long size, Manifest manifest) {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(size);
        entry.setMode(0100600);
        entry.setModTime(Instant.parse(manifest.created()).toEpochMilli());
        return entry;
    }

    /** Closing it only flushes: the manifest is still to come. */
    private static final class OpenOutput extends OutputStream {
        private final OutputStream out;

        OpenOutput(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int b) throws IOException {
            out.write(b);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            out.write(bytes, from, length);
        }

        @Override
        public void close() throws IOException {
            out.flush();
        }
    }
}
