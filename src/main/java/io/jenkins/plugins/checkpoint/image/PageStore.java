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
import java.util.List;
import java.util.Optional;

/** The memory of one process: pagemap-PID.img and the pages-ID.img that it points into. */
final class PageStore {
    // Same on every x86-64, and on arm64 as Debian runs it.
    private static final int PAGE = 4096;
    // Flags of pagemap_entry, as crit(1) shows them: in an earlier dump; fetched lazily; contents are in the pages image.
    private static final int IN_PARENT = 1;
    private static final int LAZY = 2;
    private static final int PRESENT = 4;
    // One for every page of a 16 GiB process that has every other page mapped.
    private static final int MAX_RUNS = 2 << 20;

    private record Run(long address, long pages, long offset) {}

    private final Path pages;
    private final List<Run> runs;
    private final long storedPages;
    private final long parentPages;

    private PageStore(Path pages, List<Run> runs, long storedPages, long parentPages) {
        this.pages = pages;
        this.runs = runs;
        this.storedPages = storedPages;
        this.parentPages = parentPages;
    }

    static PageStore open(Path directory, int pid) throws IOException {
        Path path = directory.resolve("pagemap-" + pid + ".img");
        try (ImageFile file = ImageFile.open(path, ImageKind.PAGEMAP)) {
            long id = Integer.toUnsignedLong(file.first(pagemap_head.parser()).getPagesId());
            List<Run> runs = new ArrayList<>();
            long stored = 0;
            long parent = 0;
            for (Optional<pagemap_entry> next = file.next(pagemap_entry.parser()); next.isPresent(); next = file.next(pagemap_entry.parser())) {
                pagemap_entry entry = next.get();
                long count = entry.hasNrPages() ? entry.getNrPages() : Integer.toUnsignedLong(entry.getCompatNrPages());
                if (count < 0 || count > 1L << 48 || runs.size() >= MAX_RUNS) {
                    throw new ImageException(path, count < 0 || count > 1L << 48 ? "a run of " + Long.toUnsignedString(count) + " pages" : "too many entries");
                }
                int flags = entry.hasFlags() ? entry.getFlags() : entry.getInParent() ? IN_PARENT : PRESENT;
                if ((flags & IN_PARENT) != 0) {
                    parent += count;
                } else if ((flags & (PRESENT | LAZY)) != 0) {
                    runs.add(new Run(entry.getVaddr(), count, stored * PAGE));
                    stored += count;
                }
                if (stored > 1L << 48 || parent > 1L << 48) {
                    throw new ImageException(path, "describes more memory than an address space has");
                }
            }
            return new PageStore(directory.resolve("pages-" + id + ".img"), runs, stored, parent);
        }
    }

    long storedBytes() {
        return storedPages * PAGE;
    }

    long parentBytes() {
        return parentPages * PAGE;
    }

    /** Reads memory; nothing if any of it is not in this directory. */
    Optional<byte[]> read(long address, int length) throws IOException {
        if (!Files.isRegularFile(pages, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        ByteBuffer bytes = ByteBuffer.allocate(length);
        try (FileChannel file = FileChannel.open(pages, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            while (bytes.hasRemaining()) {
                long at = address + bytes.position();
                Optional<Run> run = runs.stream().filter(r -> at >= r.address && at - r.address < r.pages * PAGE).findFirst();
                if (run.isEmpty()) {
                    return Optional.empty();
                }
                long within = at - run.get().address;
                int count = (int) Math.min(bytes.remaining(), run.get().pages * PAGE - within);
                ByteBuffer part = bytes.slice(bytes.position(), count);
                while (part.hasRemaining()) {
                    int n = file.read(part, run.get().offset + within + part.position());
                    if (n < 0) {
                        throw new ImageException(pages, "cut short");
                    }
                }
                bytes.position(bytes.position() + count);
            }
        }
        return Optional.of(bytes.array());
    }
}
