// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import io.jenkins.plugins.checkpoint.image.proto.PagemapProto.pagemap_entry;
import io.jenkins.plugins.checkpoint.image.proto.PagemapProto.pagemap_head;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One pagemap of an incremental dump as a whole dump would have it: what is only in the dumps before it is fetched from there while it is
 * read, so that the pages never are on disk, or in memory, a second time.
 */
public final class SquashedPages {
    private static final String LINK = "parent";
    private static final int CHUNK = 1 << 20;

    private final String name;
    private final Path directory;
    private final long id;
    private final byte[] pagemap;
    private final PageStore store;

    private SquashedPages(String name, Path directory, long id, byte[] pagemap, PageStore store) {
        this.name = name;
        this.directory = directory;
        this.id = id;
        this.pagemap = pagemap;
        this.store = store;
    }

    /**
     * Says whether a dump is incremental: it has a link to the dump before it.
     *
     * @param images an images directory
     * @return false if it stands alone
     */
    public static boolean isIncremental(Path images) {
        return Files.isSymbolicLink(images.resolve(LINK));
    }

    /**
     * Opens all pagemaps of a dump.
     *
     * @param images an images directory
     * @return one for each pagemap image
     * @throws IOException if an image is damaged
     */
    public static List<SquashedPages> of(Path images) throws IOException {
        List<Path> paths;
        try (Stream<Path> list = Files.list(images)) {
            paths = list.filter(path -> path.getFileName().toString().matches("pagemap-(shmem-)?[0-9]+\\.img")
                    && Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)).sorted().toList();
        }
        List<SquashedPages> all = new ArrayList<>();
        for (Path path : paths) {
            all.add(open(images, path));
        }
        return all;
    }

    private static SquashedPages open(Path images, Path path) throws IOException {
        String name = path.getFileName().toString();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        long id;
        try (ImageFile file = ImageFile.open(path, ImageKind.PAGEMAP)) {
            number(bytes, ImageKind.PAGEMAP.family());
            number(bytes, ImageKind.PAGEMAP.magic());
            pagemap_head head = file.first(pagemap_head.parser());
            id = Integer.toUnsignedLong(head.getPagesId());
            entry(bytes, head.toByteArray());
            List<pagemap_entry> entries = new ArrayList<>();
            for (Optional<pagemap_entry> next = file.next(pagemap_entry.parser()); next.isPresent(); next = file.next(pagemap_entry.parser())) {
                pagemap_entry entry = next.get();
                if (entry.getInParent() || (entry.getFlags() & PageStore.IN_PARENT) != 0) {
                    entry = entry.toBuilder().clearInParent().setFlags((entry.getFlags() & ~PageStore.IN_PARENT) | PageStore.PRESENT).build();
                }
                entries.add(entry);
            }
            entries.sort(Comparator.comparingLong(pagemap_entry::getVaddr)); // the order in which pages() gives them
            entries.forEach(entry -> entry(bytes, entry.toByteArray()));
        }
        return new SquashedPages(name, images, id, bytes.toByteArray(), PageStore.open(images, name));
    }

    private static void number(ByteArrayOutputStream out, int value) {
        out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    private static void entry(ByteArrayOutputStream out, byte[] message) {
        number(out, message.length);
        out.writeBytes(message);
    }

    /**
     * Names the pagemap image.
     *
     * @return file name, such as pagemap-100.img
     */
    public String pagemapName() {
        return name;
    }

    /**
     * Gives the pagemap image without references to earlier dumps.
     *
     * @return the file's content
     */
    public byte[] pagemap() {
        return pagemap.clone();
    }

    /**
     * Names the pages image.
     *
     * @return file name, such as pages-1.img
     */
    public String pagesName() {
        return "pages-" + id + ".img";
    }

    /**
     * Says how large the pages image is when it is whole.
     *
     * @return bytes
     */
    public long size() {
        return PageStore.add(store.storedBytes(), store.parentBytes());
    }

    /**
     * Reads the pages image as it is when it is whole.
     *
     * @return its content; the caller closes it. Reading throws {@link ImageException} where no dump of the chain has a page
     */
    public InputStream pages() {
        return new Pages();
    }

    /** All runs, one after the other. */
    private final class Pages extends InputStream {
        private final PageStore.Reader reader = store.reader();
        private final ByteBuffer chunk = ByteBuffer.allocate(CHUNK).limit(0);
        private int run;
        private long done; // bytes of that run

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int from, int length) throws IOException {
            if (!chunk.hasRemaining() && !fill()) {
                return -1;
            }
            int n = Math.min(length, chunk.remaining());
            chunk.get(buffer, from, n);
            return n;
        }

        private boolean fill() throws IOException {
            if (run == store.runs().size()) {
                return false;
            }
            PageStore.Run now = store.runs().get(run);
            long at = now.address() + done;
            int length = (int) Math.min(CHUNK, now.end() - at);
            chunk.clear().limit(length);
            if (!reader.read(at, chunk)) {
                throw new ImageException(directory.resolve(name), String.format("the page at 0x%x is in none of the dumps before it", at + chunk.position()));
            }
            chunk.flip();
            done += length;
            if (at + length == now.end()) {
                run++;
                done = 0;
            }
            return true;
        }

        @Override
        public void close() throws IOException {
            reader.close();
        }
    }
}
