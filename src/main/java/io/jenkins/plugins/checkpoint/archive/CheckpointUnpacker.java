// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
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
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Opens an archive. Every entry is held against the manifest while it streams by; only when all of it was there, and nothing else, do the
 * files appear under the name asked for.
 */
public final class CheckpointUnpacker {
    private static final int WINDOW_LOG = 27;

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
        requireFree(directory);
        Path parent = directory.toAbsolutePath().normalize().getParent();
        Path temporary = Files.createTempDirectory(parent, "." + directory.getFileName() + ".",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try {
            Manifest manifest = read(archive, limits, wanted, temporary);
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
        return read(archive, limits, file -> false, null);
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

    private static Manifest read(Path archive, ArchiveLimits limits, Predicate<Manifest.FileEntry> wanted, Path target) throws IOException {
        try (Counter compressed = new Counter(new BufferedInputStream(Files.newInputStream(archive), 1 << 16))) {
            ZstdInputStream zstd = new ZstdInputStream(compressed);
            zstd.setLongMax(WINDOW_LOG);
            try (InputStream plain = new Guard(zstd, compressed, limits)) {
                return readEntries(new StrictTar(plain), plain, limits, wanted, target);
            }
        } catch (ZstdIOException | EOFException e) {
            throw new ArchiveException(archive + ": damaged or cut short: " + e.getMessage());
        } catch (ArchiveException e) {
            throw new ArchiveException(archive + ": " + e.getMessage());
        } catch (IOException e) {
            // zstd-jni reports a stream that ends within a frame as a plain IOException.
            if (e.getMessage() != null && e.getMessage().startsWith("Truncated source")) {
                throw new ArchiveException(archive + ": cut short");
            }
            throw e;
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
            try (OutputStream out = wanted.test(file) ? create(target.resolve(file.name())) : OutputStream.nullOutputStream()) {
                String hash = Hashes.copy(plain, out, file.size());
                if (hash == null) {
                    throw new ArchiveException("cut short within " + entry.name());
                }
                if (!hash.equals(file.sha256())) {
                    throw new ArchiveException("entry " + entry.name() + " has SHA-256 " + hash + ", the manifest says " + file.sha256());
                }
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
        private long count;

        Counter(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            int b = in.read();
            count += b < 0 ? 0 : 1;
            return b;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            int n = in.read(buffer, from, length);
            count += Math.max(n, 0);
            return n;
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

        Guard(InputStream in, Counter compressed, ArchiveLimits limits) {
            this.in = in;
            this.compressed = compressed;
            this.limits = limits;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            int n = in.read(buffer, from, length);
            count += Math.max(n, 0);
            if (count > limits.ratioFloor() && count / limits.ratio() > compressed.count) {
                throw new ArchiveException("a bomb: " + compressed.count + " bytes expand to more than " + count + "; at most "
                        + limits.ratio() + " times the size is taken");
            }
            return n;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
