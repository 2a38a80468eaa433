// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Compares the contents of memory in two images directories, page by page. */
public final class PageComparison implements CheckpointDiff.Pages, AutoCloseable {
    private static final int PAGE = PageStore.PAGE;
    // Pages that are read at once.
    private static final int BATCH = 256;

    /** The pages of one process or object, open. */
    private record Side(PageStore store, PageStore.Reader reader) {}

    private final Path before;
    private final Path after;
    private final Map<String, Optional<Side>> sides = new HashMap<>();
    private final ByteBuffer left = ByteBuffer.allocate(BATCH * PAGE);
    private final ByteBuffer right = ByteBuffer.allocate(BATCH * PAGE);

    private PageComparison(Path before, Path after) {
        this.before = before;
        this.after = after;
    }

    /**
     * Compares two checkpoints, contents of memory included.
     *
     * @param before an images directory
     * @param after a later one
     * @return the differences
     * @throws IOException if images are missing or damaged
     */
    public static CheckpointDiff compare(Path before, Path after) throws IOException {
        try (PageComparison pages = new PageComparison(before, after)) {
            return CheckpointDiff.of(CheckpointReader.read(before), CheckpointReader.read(after), pages);
        }
    }

    @Override
    public long differing(Mapping a, Mapping b, int pid) throws IOException {
        long start = Math.max(a.start(), b.start());
        long end = Math.min(a.end(), b.end());
        Optional<Side> earlier = side(before, a, pid);
        Optional<Side> later = side(after, b, pid);
        // What is in no pages image is zero, or what the mapped file says.
        boolean zero = a.kind() != MappingKind.CODE && a.kind() != MappingKind.FILE && a.kind() != MappingKind.SHARED_FILE;
        long count = 0;
        long at = start;
        while (at < end) {
            Span x = span(earlier, at - shift(a), end - shift(a));
            Span y = span(later, at - shift(b), end - shift(b));
            long length = Math.min(Math.min(x.length, y.length), end - at);
            if (x.there || y.there) {
                length = Math.min(length, (long) BATCH * PAGE);
                count += compare(x.there ? earlier.get() : null, at - shift(a), y.there ? later.get() : null, at - shift(b), (int) length, zero);
            }
            at += length;
        }
        return count;
    }

    // An object's pages are numbered from its own beginning.
    private static long shift(Mapping mapping) {
        return mapping.object() == 0 ? 0 : mapping.start() - mapping.offset();
    }

    /** So many bytes from an address on are all there, or all not. */
    private record Span(boolean there, long length) {}

    private static Span span(Optional<Side> side, long address, long end) {
        if (side.isEmpty()) {
            return new Span(false, end - address);
        }
        PageStore.Run run = side.get().store().runAt(address);
        if (run == null) {
            return new Span(false, end - address);
        }
        return run.address() > address ? new Span(false, run.address() - address) : new Span(true, run.end() - address);
    }

    private long compare(Side x, long xAddress, Side y, long yAddress, int length, boolean zero) throws IOException {
        if (!zero && (x == null || y == null)) {
            return length / PAGE;
        }
        fill(x, xAddress, left, length);
        fill(y, yAddress, right, length);
        long count = 0;
        for (int at = 0; at < length; at += PAGE) {
            int size = Math.min(PAGE, length - at);
            if (left.slice(at, size).mismatch(right.slice(at, size)) >= 0) {
                count++;
            }
        }
        return count;
    }

    private static void fill(Side side, long address, ByteBuffer buffer, int length) throws IOException {
        buffer.clear().limit(length);
        if (side == null) {
            buffer.put(new byte[length]);
        } else if (!side.reader().read(address, buffer)) {
            throw new IOException("contents of memory at 0x" + Long.toHexString(address) + " are in an earlier dump that is not there, or their pages image is missing");
        }
    }

    private Optional<Side> side(Path directory, Mapping mapping, int pid) throws IOException {
        boolean isBefore = directory == before;
        String key = isBefore + " " + (mapping.object() == 0 ? "pid " + pid : "object " + mapping.object());
        Optional<Side> side = sides.get(key);
        if (side == null) {
            Optional<PageStore> store = mapping.object() == 0 ? Optional.of(PageStore.open(directory, pid)) : PageStore.openShared(directory, mapping.object());
            side = store.map(pages -> new Side(pages, pages.reader()));
            sides.put(key, side);
        }
        return side;
    }

    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (Optional<Side> side : sides.values()) {
            try {
                if (side.isPresent()) {
                    side.get().reader().close();
                }
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
