// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.PagemapProto.pagemap_entry;
import io.jenkins.plugins.checkpoint.image.proto.PagemapProto.pagemap_head;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Pages of one address space or shared memory object: a pagemap image and the pages-ID.img that it points into, and for an incremental
 * dump the same of the directories that its link {@code parent} leads to.
 */
final class PageStore {
    /** Bytes of a page: the same on every x86-64, and on arm64 as Debian runs it. */
    static final int PAGE = 4096;
    // Flags of pagemap_entry, as crit(1) shows them: in an earlier dump; fetched lazily; contents are in the pages image.
    static final int IN_PARENT = 1;
    private static final int LAZY = 2;
    static final int PRESENT = 4;
    // One for every page of a 16 GiB process that has every other page mapped.
    private static final int MAX_RUNS = 2 << 20;
    /** No address space has more: five-level page tables give a process 2^56 bytes. */
    static final long MAX_ADDRESS = 1L << 56;

    private static final int MAX_PARENTS = 1024;

    /** Pages in a row; offset in the pages image, or -1 for those in an earlier dump. */
    record Run(long address, long pages, long offset) {
        long end() {
            return address + pages * PAGE;
        }

        boolean inParent() {
            return offset < 0;
        }
    }

    private final Path directory;
    private final String name;
    private final Path pages;
    private final List<Run> runs;
    // What the runs before each hold, in bytes, so that any range can be summed up without walking through it.
    private final long[] storedBefore;
    private final long[] parentBefore;

    private PageStore(Path directory, String name, Path pages, List<Run> runs) {
        this.directory = directory;
        this.name = name;
        this.pages = pages;
        this.runs = runs;
        storedBefore = new long[runs.size() + 1];
        parentBefore = new long[runs.size() + 1];
        for (int i = 0; i < runs.size(); i++) {
            long bytes = runs.get(i).pages() * PAGE;
            storedBefore[i + 1] = storedBefore[i] + (runs.get(i).inParent() ? 0 : bytes);
            parentBefore[i + 1] = parentBefore[i] + (runs.get(i).inParent() ? bytes : 0);
        }
    }

    /**
     * Opens the pages of a process.
     *
     * @param directory an images directory
     * @param pid the process
     * @return its pages
     * @throws IOException if its pagemap image is missing or damaged
     */
    static PageStore open(Path directory, int pid) throws IOException {
        return open(directory, "pagemap-" + pid + ".img");
    }

    /**
     * Opens the pages of a shared memory object; their addresses are offsets in it.
     *
     * @param directory an images directory
     * @param object its number, shmid of a mapping
     * @return its pages; nothing if there is no such image, as for an object without contents
     * @throws IOException if its pagemap image is damaged
     */
    static Optional<PageStore> openShared(Path directory, long object) throws IOException {
        String name = "pagemap-shmem-" + Long.toUnsignedString(object) + ".img";
        return Files.exists(directory.resolve(name), LinkOption.NOFOLLOW_LINKS) ? Optional.of(open(directory, name)) : Optional.empty();
    }

    /** Opens the pagemap image of that name. */
    static PageStore open(Path directory, String name) throws IOException {
        Path path = directory.resolve(name);
        try (ImageFile file = ImageFile.open(path, ImageKind.PAGEMAP)) {
            long id = Integer.toUnsignedLong(file.first(pagemap_head.parser()).getPagesId());
            List<Run> runs = new ArrayList<>();
            long stored = 0;
            for (Optional<pagemap_entry> next = file.next(pagemap_entry.parser()); next.isPresent(); next = file.next(pagemap_entry.parser())) {
                pagemap_entry entry = next.get();
                long count = entry.hasNrPages() ? entry.getNrPages() : Integer.toUnsignedLong(entry.getCompatNrPages());
                if (count < 0 || count > 1L << 36 || entry.getVaddr() < 0 || entry.getVaddr() > MAX_ADDRESS || runs.size() >= MAX_RUNS) {
                    throw new ImageException(path, runs.size() >= MAX_RUNS ? "too many entries"
                            : String.format("a run of %s pages at 0x%x", Long.toUnsignedString(count), entry.getVaddr()));
                }
                int flags = entry.hasFlags() ? entry.getFlags() : entry.getInParent() ? IN_PARENT : PRESENT;
                if ((flags & IN_PARENT) != 0) {
                    runs.add(new Run(entry.getVaddr(), count, -1));
                } else if ((flags & (PRESENT | LAZY)) != 0) {
                    runs.add(new Run(entry.getVaddr(), count, stored * PAGE));
                    stored += count;
                }
            }
            runs.sort(Comparator.comparingLong(Run::address));
            for (int i = 1; i < runs.size(); i++) {
                if (runs.get(i).address() < runs.get(i - 1).end()) {
                    throw new ImageException(path, String.format("describes the page at 0x%x twice", runs.get(i).address()));
                }
            }
            return new PageStore(directory, name, directory.resolve("pages-" + id + ".img"), runs);
        }
    }

    /** Adds sizes; what no machine has is as much as a long can hold. */
    static long add(long a, long b) {
        return a > Long.MAX_VALUE - b ? Long.MAX_VALUE : a + b;
    }

    /** Bytes in this directory. */
    long storedBytes() {
        return storedBefore[runs.size()];
    }

    /** Bytes in earlier dumps. */
    long parentBytes() {
        return parentBefore[runs.size()];
    }

    /** Bytes of a range that are in this directory. */
    long storedBytes(long start, long end) {
        return within(start, end, false);
    }

    /** Bytes of a range that are in earlier dumps. */
    long parentBytes(long start, long end) {
        return within(start, end, true);
    }

    /** The first run that ends behind an address: it holds the address or lies behind it; null if there is none. */
    Run runAt(long address) {
        int at = find(address);
        return at < runs.size() ? runs.get(at) : null;
    }

    /** All pages that are in this directory or an earlier dump, by address. */
    List<Run> runs() {
        return Collections.unmodifiableList(runs);
    }

    private long within(long start, long end, boolean inParent) {
        return before(end, inParent) - before(start, inParent);
    }

    private long before(long address, boolean inParent) {
        int at = find(address);
        long sum = (inParent ? parentBefore : storedBefore)[at];
        Run run = at < runs.size() ? runs.get(at) : null;
        return run != null && run.inParent() == inParent && address > run.address() ? sum + address - run.address() : sum;
    }

    /** Index of the first run that ends behind an address; the number of runs if there is none. */
    private int find(long address) {
        int low = 0;
        int high = runs.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (runs.get(middle).end() > address) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /**
     * Reads memory, from this directory and those before it.
     *
     * @param address where it begins
     * @param length bytes, few enough to be held in memory
     * @return the bytes; nothing if any of them is in none of these directories
     * @throws IOException if an image is missing or damaged
     */
    Optional<byte[]> read(long address, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        try (Reader reader = new Reader(this, 0)) {
            return reader.read(address, bytes) ? Optional.of(bytes.array()) : Optional.empty();
        }
    }

    /** Begins to read; the caller closes it. */
    Reader reader() {
        return new Reader(this, 0);
    }

    /** Reads pages, with the files held open. */
    static final class Reader implements AutoCloseable {
        private final PageStore store;
        private final int depth;
        private FileChannel file;
        private Reader parent;
        private boolean parentless;

        private Reader(PageStore store, int depth) {
            this.store = store;
            this.depth = depth;
        }

        /**
         * Fills a buffer with memory.
         *
         * @param address where it begins
         * @param bytes filled from its position to its limit
         * @return false if any of it is in no directory; the buffer is then partly filled
         * @throws IOException if an image is missing or damaged
         */
        boolean read(long address, ByteBuffer bytes) throws IOException {
            int start = bytes.position();
            while (bytes.hasRemaining()) {
                long at = address + bytes.position() - start;
                int index = store.find(at);
                if (index == store.runs.size() || store.runs.get(index).address() > at) {
                    return false;
                }
                Run run = store.runs.get(index);
                int count = (int) Math.min(bytes.remaining(), run.end() - at);
                ByteBuffer part = bytes.slice(bytes.position(), count);
                if (run.inParent() ? !readParent(at, part) : !readFile(run.offset() + at - run.address(), part)) {
                    return false;
                }
                bytes.position(bytes.position() + count);
            }
            return true;
        }

        private boolean readFile(long offset, ByteBuffer part) throws IOException {
            if (file == null) {
                // An archive that was unpacked without its large files lacks it.
                if (!Files.isRegularFile(store.pages, LinkOption.NOFOLLOW_LINKS)) {
                    return false;
                }
                file = FileChannel.open(store.pages, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
            }
            while (part.hasRemaining()) {
                if (file.read(part, offset + part.position()) < 0) {
                    throw new ImageException(store.pages, "cut short");
                }
            }
            return true;
        }

        private boolean readParent(long address, ByteBuffer part) throws IOException {
            if (parent == null && !parentless) {
                Path before = store.directory.resolve("parent");
                parentless = depth >= MAX_PARENTS || !Files.isRegularFile(before.resolve(store.name), LinkOption.NOFOLLOW_LINKS);
                if (!parentless) {
                    parent = new Reader(open(before, store.name), depth + 1);
                }
            }
            return parent != null && parent.read(address, part);
        }

        @Override
        public void close() throws IOException {
            try {
                if (parent != null) {
                    parent.close();
                }
            } finally {
                if (file != null) {
                    file.close();
                }
            }
        }
    }
}
