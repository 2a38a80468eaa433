// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Opens an archive. Every entry is held against the manifest while it streams by; only when all of it was there, and nothing else, do the
 * files appear under the name asked for.
 */
public final class CheckpointUnpacker {
    // Smaller files are not worth a second thread.
    private static final long LARGE = 1 << 20;

    private CheckpointUnpacker() {}

    /**
     * Unpacks an archive into a directory that does not exist yet, or is empty.
     *
     * @param archive the file
     * @param directory where the images will be
     * @param limits what the archive may expand to
     * @return its manifest
     * @throws ArchiveException if it is damaged, hostile or too large; nothing is left behind then
     * @throws FileAlreadyExistsException if the directory is something else already
     * @throws DirectoryNotEmptyException if the directory has something in it
     * @throws IOException if something cannot be read or written
     */
    public static Manifest unpack(Path archive, Path directory, ArchiveLimits limits) throws IOException {
        return unpack(archive, directory, limits, file -> true);
    }

    /**
     * Unpacks a part of an archive; the rest is verified and dropped.
     *
     * @param archive the file
     * @param directory where the images will be
     * @param limits what the archive may expand to
     * @param wanted says which files to keep
     * @return its manifest
     * @throws IOException as {@link #unpack(Path, Path, ArchiveLimits)}
     */
    public static Manifest unpack(Path archive, Path directory, ArchiveLimits limits, Predicate<Manifest.FileEntry> wanted) throws IOException {
        return unpack(archive, directory, limits, wanted, read -> { });
    }

    /**
     * Unpacks a part of an archive, as {@link #unpack(Path, Path, ArchiveLimits, Predicate)}, and tells of it.
     *
     * @param archive the file
     * @param directory where the images will be
     * @param limits what the archive may expand to
     * @param wanted says which files to keep
     * @param progress told how many bytes of the archive are read, from time to time, by the thread that unpacks
     * @return its manifest
     * @throws IOException as there
     */
    public static Manifest unpack(Path archive, Path directory, ArchiveLimits limits, Predicate<Manifest.FileEntry> wanted, LongConsumer progress)
            throws IOException {
        requireFree(directory);
        Path parent = directory.toAbsolutePath().normalize().getParent();
        Path temporary = Files.createTempDirectory(parent, "." + directory.getFileName() + ".",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try {
            Manifest manifest = read(archive, limits, wanted, temporary, progress);
            Files.move(temporary, directory, StandardCopyOption.ATOMIC_MOVE);
            return manifest;
        } finally {
            delete(temporary);
        }
    }

    /**
     * Verifies a whole archive without writing anything.
     *
     * @param archive the file
     * @param limits what it may expand to
     * @return its manifest
     * @throws IOException as {@link #unpack(Path, Path, ArchiveLimits)}
     */
    public static Manifest verify(Path archive, ArchiveLimits limits) throws IOException {
        return read(archive, limits, file -> false, null, read -> { });
    }

    private static void requireFree(Path directory) throws IOException {
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(directory.toString());
        }
        try (Stream<Path> inside = Files.list(directory)) {
            if (inside.findAny().isPresent()) {
                throw new DirectoryNotEmptyException(directory.toString());
            }
        }
    }

    private static Manifest read(Path archive, ArchiveLimits limits, Predicate<Manifest.FileEntry> wanted, Path target, LongConsumer progress)
            throws IOException {
        try (Counter compressed = new Counter(Files.newInputStream(archive), progress)) {
            BufferedInputStream buffered = new BufferedInputStream(compressed, 1 << 16);
            try (InputStream plain = new Guard(buffered, compressed, limits)) {
                return readEntries(new StrictTar(plain), plain, limits, wanted, target);
            }
        } catch (ArchiveException e) {
            throw new ArchiveException(archive + ": " + e.getMessage());
        }
    }

    private static Manifest readEntries(StrictTar tar, InputStream plain, ArchiveLimits limits, Predicate<Manifest.FileEntry> wanted, Path target)
            throws IOException {
        StrictTar.Entry first = tar.next().orElseThrow(() -> new ArchiveException("empty archive"));
        if (!first.name().equals(Manifest.ENTRY)) {
            throw new ArchiveException("not a checkpoint: its first entry is \"" + Manifest.printable(first.name()) + "\", expected " + Manifest.ENTRY);
        }
        if (first.size() > Manifest.MAX_SIZE) {
            throw new ArchiveException(Manifest.ENTRY + " has " + first.size() + " bytes; at most " + Manifest.MAX_SIZE + " are taken");
        }
        byte[] json = plain.readNBytes((int) first.size());
        if (json.length < first.size()) {
            throw new ArchiveException("cut short within " + Manifest.ENTRY);
        }
        tar.skipPadding(first.size());
        Manifest manifest = Manifest.parse(new String(json, StandardCharsets.UTF_8));
        requireWithin(manifest, limits, wanted, target);

        Map<String, Manifest.FileEntry> expected = manifest.files().stream()
                .collect(Collectors.toMap(file -> CheckpointPacker.PREFIX + file.name(), Function.identity()));
        Set<String> seen = new HashSet<>();
        for (Optional<StrictTar.Entry> next = tar.next(); next.isPresent(); next = tar.next()) {
            StrictTar.Entry entry = next.get();
            Manifest.FileEntry file = expected.get(entry.name());
            if (file == null) {
                throw new ArchiveException("entry \"" + Manifest.printable(entry.name()) + "\" is not in the manifest");
            }
            if (!seen.add(entry.name())) {
                throw new ArchiveException("entry " + entry.name() + " is there twice");
            }
            if (entry.size() != file.size()) {
                throw new ArchiveException("entry " + entry.name() + " has " + entry.size() + " bytes, the manifest says " + file.size());
            }
            String hash = extract(plain, file, wanted.test(file) ? create(target.resolve(file.name())) : OutputStream.nullOutputStream());
            if (hash == null) {
                throw new ArchiveException("cut short within " + entry.name());
            }
            if (!hash.equals(file.sha256())) {
                throw new ArchiveException("entry " + entry.name() + " has SHA-256 " + hash + ", the manifest says " + file.sha256());
            }
            tar.skipPadding(file.size());
        }
        tar.expectEnd();
        if (seen.size() < expected.size()) {
            String missing = manifest.files().stream().map(Manifest.FileEntry::name).filter(name -> !seen.contains(CheckpointPacker.PREFIX + name))
                    .findFirst().orElseThrow();
            throw new ArchiveException(missing + " is in the manifest but not in the archive");
        }
        return manifest;
    }

    // Large files are hashed and written by a second thread while this one decompresses. Null if the archive ends within it.
    private static String extract(InputStream plain, Manifest.FileEntry file, OutputStream out) throws IOException {
        DigestOutputStream hashing = new DigestOutputStream(out, Hashes.sha256());
        try (OutputStream target = file.size() < LARGE ? hashing : new HandOver(hashing, "checkpoint archive reader")) {
            byte[] buffer = new byte[1 << 16];
            for (long left = file.size(); left > 0;) {
                int n = plain.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (n < 0) {
                    return null;
                }
                target.write(buffer, 0, n);
                left -= n;
            }
        }
        return HexFormat.of().formatHex(hashing.getMessageDigest().digest());
    }

    private static void requireWithin(Manifest manifest, ArchiveLimits limits, Predicate<Manifest.FileEntry> wanted, Path target) throws IOException {
        if (manifest.files().size() > limits.entries()) {
            throw new ArchiveException("has " + manifest.files().size() + " files; at most " + limits.entries() + " are taken");
        }
        if (manifest.bytes() > limits.bytes()) {
            throw new ArchiveException("would unpack to " + manifest.bytes() + " bytes; at most " + limits.bytes() + " are taken");
        }
        if (target != null) {
            long needed = manifest.files().stream().filter(wanted).mapToLong(Manifest.FileEntry::size).sum();
            long free = Files.getFileStore(target).getUsableSpace();
            if (needed > free) {
                throw new ArchiveException("would unpack to " + needed + " bytes; " + target.getParent() + " has room for " + free);
            }
        }
    }

    private static OutputStream create(Path file) throws IOException {
        return new BufferedOutputStream(Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), 1 << 16);
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    /** Counts what goes in. */
    private static final class Counter extends InputStream {
        private final InputStream in;
        private final LongConsumer progress;
        private long count;
        private boolean failed; // it was the file that could not be read

        Counter(InputStream in, LongConsumer progress) {
            this.in = in;
            this.progress = progress;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            try {
                int n = in.read(buffer, from, length);
                count += Math.max(n, 0);
                progress.accept(count);
                return n;
            } catch (IOException e) {
                failed = true;
                throw e;
            }
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    /** Stops a stream that expands beyond the limits. */
    private static final class Guard extends InputStream {
        private final InputStream in;
        private final Counter compressed;
        private final ArchiveLimits limits;
        private long count;

        Guard(BufferedInputStream archive, Counter compressed, ArchiveLimits limits) throws IOException {
            this.compressed = compressed;
            this.limits = limits;
            in = Compression.decompress(archive);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            int n = readHere(buffer, from, length);
            count += Math.max(n, 0);
            if (count > limits.ratioFloor() && count / limits.ratio() > compressed.count) {
                throw new ArchiveException("a bomb: " + compressed.count + " bytes expand to more than " + count + "; at most "
                        + limits.ratio() + " times the size is taken");
            }
            return n;
        }

        // What decompressors throw is of many types.
        private int readHere(byte[] buffer, int from, int length) throws IOException {
            try {
                return in.read(buffer, from, length);
            } catch (IOException | RuntimeException e) {
                if (compressed.failed) {
                    throw e;
                }
                throw new ArchiveException("damaged or cut short: " + e.getMessage());
            }
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
