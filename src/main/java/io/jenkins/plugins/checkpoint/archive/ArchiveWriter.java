// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongConsumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * An archive that is being made, under another name until it is whole. Room is left for the manifest, which comes first and has the hashes that
 * are known last, and in front of each file whose size is known last. Not for several threads at a time.
 */
final class ArchiveWriter implements Closeable {
    private static final String NO_HASH = "0".repeat(64);
    private static final int TAR_BLOCK = 512;
    // What a header of a tar takes as a frame of its own, at the worst, and the least that fills the rest.
    private static final int HEADER_ROOM = TAR_BLOCK + 128;

    private final Path archive;
    private final Compression compression;
    private final Instant created;
    private final int room;
    private final List<Manifest.FileEntry> files = new ArrayList<>();
    private final HashedCopy copy = new HashedCopy();
    private final LongConsumer progress;
    private Path temporary;
    private FileChannel channel;
    private OutputStream frame; // the open one; null: none
    private long done;
    private boolean repeats;

    /** Where a manifest goes, and how many bytes it has room for. */
    private record Start(byte[] frame, int room) {}

    /**
     * Begins an archive.
     *
     * @param archive its name in the end
     * @param created when, as all its entries say
     * @param room bytes kept free for the manifest, from {@link #roomFor} or a guess in whole blocks of tar; all is moved at the end where it does not do
     * @param options compression, and whom to tell of progress
     */
    ArchiveWriter(Path archive, Instant created, int room, PackOptions options) throws IOException {
        this.archive = archive;
        this.created = created;
        this.room = room;
        compression = options.compression();
        progress = options.progress();
        temporary = Leftovers.create(archive);
        try {
            channel = FileChannel.open(temporary, StandardOpenOption.READ, StandardOpenOption.WRITE);
            channel.position(room);
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /** Says how much room a manifest takes once all hashes of these files are known. */
    static int roomFor(Manifest manifest, List<PackedFile> files, Compression compression) throws IOException {
        List<Manifest.FileEntry> unknown = files.stream().map(file -> new Manifest.FileEntry(file.name(), file.size(), NO_HASH)).toList();
        byte[] start = compress(entry(Manifest.ENTRY, json(manifest.withFiles(unknown)), Instant.parse(manifest.created())), compression);
        // Without compression a tar of exactly that size; else what hashes take more than zeros do, in hex at the worst.
        return start.length + (compression.method() == Compression.Method.NONE ? 0 : 64 * files.size() + 512);
    }

    /** Files added from now on, until one that grows, may have much in common, as the memory of processes made by fork(2) has. */
    void expectRepeats() {
        repeats = true;
    }

    /**
     * Adds a file of a size that is known.
     *
     * @throws ArchiveException if it has another size
     */
    void add(PackedFile file) throws IOException {
        if (frame == null) {
            frame = open(repeats);
        }
        frame.write(header(file.name(), file.size(), created));
        try (InputStream in = file.opener().open()) {
            long before = done;
            String hash = copy.copy(in, frame, file.size(), n -> progress.accept(before + n));
            if (hash == null || in.read() >= 0) {
                throw new ArchiveException(file.name() + " changed while it was being packed");
            }
            added(file.name(), file.size(), hash);
        }
    }

    /** A file whose size shows in the end. */
    interface Growing {
        /** Takes what is there, up to some MiB. Returns the number of bytes, 0 at the stream's end as it is now. */
        long more(InputStream in) throws IOException;

        /** Bytes so far. */
        long size();

        /** The file ends here. */
        void end() throws IOException;
    }

    /** Begins a file that grows; nothing else can be added until its end. */
    Growing grow(String name) throws IOException {
        endFrame();
        long at = channel.position();
        int before = compression.method() == Compression.Method.NONE ? TAR_BLOCK : HEADER_ROOM;
        channel.position(at + before);
        frame = open(false);
        return new Growing() {
            private long size;

            @Override
            public long more(InputStream in) throws IOException {
                long n = copy.more(in, frame, read -> progress.accept(done + size + read));
                size += n;
                return n;
            }

            @Override
            public long size() {
                return size;
            }

            @Override
            public void end() throws IOException {
                pad(size);
                endFrame();
                writeStart(start(compress(header(name, size, created), compression), before), at);
                added(name, size, copy.hash());
            }
        };
    }

    private void added(String name, long size, String hash) throws IOException {
        if (frame != null) {
            pad(size);
        }
        files.add(new Manifest.FileEntry(name, size, hash));
        done += size;
    }

    /** Bytes of files that are in it so far. */
    long done() {
        return done;
    }

    /**
     * Ends it and gives it its name.
     *
     * @param manifest without files
     * @return the manifest with its files
     */
    Manifest finish(Manifest manifest) throws IOException {
        if (frame == null) {
            frame = open(false);
        }
        frame.write(new byte[2 * TAR_BLOCK]);
        endFrame();
        files.sort(Comparator.comparing(Manifest.FileEntry::name));
        Manifest whole = manifest.withFiles(files);
        byte[] json = json(whole);
        Start start = manifestStart(json, room);
        if (start == null) {
            int needed = compress(entry(Manifest.ENTRY, json, created), compression).length;
            start = manifestStart(json, needed);
            move(needed);
        }
        writeStart(start, 0);
        channel.force(true);
        Files.move(temporary, archive, StandardCopyOption.ATOMIC_MOVE);
        Leftovers.forget(temporary);
        temporary = null;
        return whole;
    }

    // Null if it does not fit. JSON may end in blanks, so that a plain tar is filled, too.
    private Start manifestStart(byte[] json, int bytes) throws IOException {
        if (compression.method() != Compression.Method.NONE) {
            return start(compress(entry(Manifest.ENTRY, json, created), compression), bytes);
        }
        if (TAR_BLOCK + json.length > bytes) {
            return null;
        }
        boolean fits = bytes - TAR_BLOCK - json.length < TAR_BLOCK;
        byte[] padded = fits ? json : Arrays.copyOf(json, bytes - TAR_BLOCK);
        Arrays.fill(padded, json.length, padded.length, (byte) '\n');
        return new Start(entry(Manifest.ENTRY, padded, created), bytes);
    }

    private static Start start(byte[] frame, int room) {
        int left = room - frame.length;
        return left == 0 || left >= Compression.SKIPPABLE_HEADER ? new Start(frame, room) : null;
    }

    private void writeStart(Start start, long position) throws IOException {
        if (start == null) {
            throw new IllegalStateException("a header of a tar takes more than " + HEADER_ROOM + " bytes");
        }
        writeAt(start.frame(), position);
        int left = start.room() - start.frame().length;
        if (left > 0) {
            writeAt(Compression.skippable(left - Compression.SKIPPABLE_HEADER), position + start.frame().length);
        }
    }

    // To a file with more room for the manifest.
    private void move(int newRoom) throws IOException {
        Path other = Leftovers.create(archive);
        FileChannel to = FileChannel.open(other, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileChannel from = channel;
        Path before = temporary;
        channel = to;
        temporary = other;
        try (from) {
            to.position(newRoom);
            for (long at = room; at < from.size();) {
                at += from.transferTo(at, from.size() - at, to);
            }
        } finally {
            Leftovers.delete(before);
        }
    }

    private OutputStream open(boolean longRepeats) throws IOException {
        return compression.compress(new ToChannel(), Math.min(4, Runtime.getRuntime().availableProcessors()), longRepeats);
    }

    private void endFrame() throws IOException {
        if (frame != null) {
            OutputStream ending = frame;
            frame = null;
            ending.close();
        }
    }

    private void pad(long size) throws IOException {
        frame.write(new byte[(int) ((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK)]);
    }

    private void writeAt(byte[] bytes, long position) throws IOException {
        ByteBuffer left = ByteBuffer.wrap(bytes);
        while (left.hasRemaining()) {
            channel.write(left, position + left.position());
        }
    }

    private static byte[] json(Manifest manifest) {
        return manifest.toJson().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] compress(byte[] bytes, Compression compression) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream one = compression.compress(out, 0, false)) {
            one.write(bytes);
        }
        return out.toByteArray();
    }

    private static byte[] entry(String name, byte[] content, Instant created) throws IOException {
        byte[] header = header(name, content.length, created);
        int blocks = (content.length + TAR_BLOCK - 1) / TAR_BLOCK;
        byte[] entry = Arrays.copyOf(header, TAR_BLOCK * (1 + blocks));
        System.arraycopy(content, 0, entry, TAR_BLOCK, content.length);
        return entry;
    }

    private static byte[] header(String name, long size, Instant created) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name.equals(Manifest.ENTRY) ? name : CheckpointPacker.PREFIX + name);
        entry.setSize(size);
        entry.setMode(0100600);
        entry.setModTime(created.toEpochMilli());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, TAR_BLOCK, StandardCharsets.US_ASCII.name());
        tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
        tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_ERROR);
        tar.putArchiveEntry(entry);
        tar.flush();
        return bytes.toByteArray();
    }

    /** Without {@link #finish} before: no archive is left. */
    @Override
    public void close() throws IOException {
        try {
            copy.close();
            if (frame != null) {
                abandon(frame);
            }
            if (channel != null) {
                channel.close();
            }
        } finally {
            if (temporary != null) {
                Leftovers.delete(temporary);
            }
        }
    }

    // Compressors hold memory that is not Java's; that they cannot write their end any more is no news.
    private static void abandon(OutputStream frame) {
        try {
            frame.close();
        } catch (IOException | RuntimeException e) {
            return;
        }
    }

    /** The archive's file from where it stands. Closing it only ends a frame. */
    private final class ToChannel extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            ByteBuffer left = ByteBuffer.wrap(bytes, from, length);
            while (left.hasRemaining()) {
                channel.write(left);
            }
        }
    }
}
