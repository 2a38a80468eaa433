// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Packs an images directory while an engine still writes to it: memory, which is nearly all of it, goes into the archive as it comes, the rest
 * when the engine has said that the dump is whole. An archive appears only then, too.
 *
 * <p>Engines append to images of memory, one after the other. Should one of them change afterwards nevertheless, all is packed anew.
 */
public final class FollowingPacker implements Closeable {
    // Dumps with less memory are packed faster when they are whole.
    private static final long WORTH_IT = 4 << 20;
    // For the manifest, whose size is not known yet. The manifest of a JVM takes some 20 KiB.
    private static final int ROOM = 128 << 10;
    private static final long WAIT_NANOS = 3_000_000;

    private final Path images;
    private final Path archive;
    private final PackOptions options;
    private final Instant created = CheckpointPacker.now();
    private final GrowingPages pages;
    private final Thread follower = new Thread(this::follow, "checkpoint archive follower");
    private volatile boolean written; // the engine is done
    private volatile boolean cancelled;
    private volatile Throwable failure;
    private ArchiveWriter writer; // the follower's until it has ended

    private FollowingPacker(Path images, Path archive, PackOptions options) throws IOException {
        this.images = images;
        this.archive = archive;
        this.options = options;
        pages = new GrowingPages(images);
    }

    /**
     * Begins to pack what an engine is about to write.
     *
     * @param images the directory that it will write to
     * @param archive the file to make
     * @param options how; progress is told by a thread of this packer's own
     * @return the packer, to be closed in any case
     * @throws java.nio.file.FileAlreadyExistsException if the archive's name is taken
     * @throws IOException if the directory cannot be read
     */
    public static FollowingPacker start(Path images, Path archive, PackOptions options) throws IOException {
        CheckpointPacker.requireFree(archive);
        FollowingPacker packer = new FollowingPacker(images, archive, options);
        packer.follower.setDaemon(true);
        packer.follower.start();
        return packer;
    }

    /**
     * Says whether there will be no archive, so that whoever can still call the dump off may do so.
     *
     * @throws IOException what went wrong so far, such as a disk that is full
     */
    public void check() throws IOException {
        Throwable e = failure;
        if (e instanceof IOException io) {
            throw io;
        }
        if (e != null) {
            throw new IOException(e.toString(), e);
        }
    }

    /**
     * The dump is whole: packs what is left and gives the archive its name.
     *
     * @return what the archive says of itself
     * @throws IOException as {@link CheckpointPacker#pack(Path, Path, PackOptions)}
     */
    public Manifest finish() throws IOException {
        written = true;
        Manifest manifest = CheckpointPacker.describe(images, created, options.secrets());
        join();
        check();
        if (writer == null || !pages.unchanged()) {
            discard();
            return CheckpointPacker.pack(images, archive, options);
        }
        Set<String> packed = new HashSet<>(pages.names());
        List<PackedFile> files = PackedFile.of(images);
        for (PackedFile file : files) {
            if (!packed.remove(file.name())) {
                writer.add(file);
            }
        }
        if (!packed.isEmpty()) {
            throw new ArchiveException(packed.iterator().next() + " is gone from " + images + " while it is packed");
        }
        return writer.finish(manifest);
    }

    private void follow() {
        try {
            while (pack(next())) {
                continue;
            }
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
        }
    }

    // Null at the end.
    private GrowingPages.Pages next() throws IOException {
        while (!cancelled) {
            boolean last = written;
            GrowingPages.Pages next = pages.next(WORTH_IT);
            if (next != null || last) {
                return next;
            }
            LockSupport.parkNanos(WAIT_NANOS);
        }
        return null;
    }

    private boolean pack(GrowingPages.Pages file) throws IOException {
        if (file == null) {
            return false;
        }
        try (file) {
            if (writer == null) {
                writer = new ArchiveWriter(archive, created, ROOM, options);
            }
            if (written || pages.hasLater(file)) {
                return packWhole(file);
            }
            ArchiveWriter.Growing entry = writer.grow(file.name());
            while (!cancelled) {
                boolean last = written || pages.hasLater(file);
                if (entry.more(file.content()) == 0) {
                    if (last) {
                        entry.end();
                        pages.packed(file, entry.size());
                        return true;
                    }
                    LockSupport.parkNanos(WAIT_NANOS);
                }
            }
        }
        return false;
    }

    // There are several, most likely of processes that have much in common.
    private boolean packWhole(GrowingPages.Pages file) throws IOException {
        Path path = images.resolve(file.name());
        writer.expectRepeats();
        writer.add(new PackedFile(file.name(), file.size(), () -> Files.newInputStream(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)));
        pages.packed(file, file.size());
        return true;
    }

    private void join() throws IOException {
        try {
            follower.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while packing into " + archive);
        }
    }

    private void discard() throws IOException {
        if (writer != null) {
            writer.close();
            writer = null;
        }
    }

    /** Without {@link #finish} before, or when that failed: no archive is left. */
    @Override
    public void close() throws IOException {
        cancelled = true;
        boolean interrupted = false;
        while (follower.isAlive()) {
            try {
                follower.join();
            } catch (InterruptedException e) {
                // It ends soon: it waits for nobody.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        discard();
    }
}
