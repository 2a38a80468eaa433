// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import io.jenkins.plugins.checkpoint.image.SquashedPages;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The images of memory ({@code pages-1.img} and so on) of a dump that is being made, in the order in which engines write them. */
final class GrowingPages {
    private static final Pattern NAME = Pattern.compile("pages-([1-9][0-9]{0,8})\\.img");

    private final Path images;
    // Of an older dump, or one whose pages are only a part: cannot be followed.
    private final boolean useless;
    private final List<Packed> done = new ArrayList<>();
    private int last;

    /** A file as it was when it was packed. */
    private record Packed(String name, Object key, long size, FileTime changed) {}

    /** images: the directory, before the engine is asked. */
    GrowingPages(Path images) throws IOException {
        this.images = images;
        useless = !list().isEmpty() || SquashedPages.isIncremental(images);
    }

    /** A file to pack. */
    final class Pages implements Closeable {
        private final int number;
        private final FileChannel channel;
        private final InputStream content;

        private Pages(int number, Path path) throws IOException {
            this.number = number;
            channel = FileChannel.open(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
            content = Channels.newInputStream(channel);
        }

        String name() {
            return "pages-" + number + ".img";
        }

        /** Bytes in it now. */
        long size() throws IOException {
            return channel.size();
        }

        /** Reads on where it ended before, if there is more now. */
        InputStream content() {
            return content;
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /** Whether a file has that kind of name. */
    static boolean isPages(String name) {
        return NAME.matcher(name).matches();
    }

    private TreeMap<Integer, Path> list() throws IOException {
        TreeMap<Integer, Path> found = new TreeMap<>();
        try (Stream<Path> files = Files.list(images)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches()) {
                    found.put(Integer.parseInt(name.group(1)), file);
                }
            }
        }
        return found;
    }

    /** Opens the first one after those that were opened before that has enough in it; null if there is none now. */
    Pages next(long enough) throws IOException {
        if (useless) {
            return null;
        }
        for (Map.Entry<Integer, Path> file : list().tailMap(last, false).entrySet()) {
            BasicFileAttributes now;
            try {
                now = attributes(file.getValue());
            } catch (NoSuchFileException e) {
                // The engine has given up: it will say so.
                continue;
            }
            if (now.isRegularFile() && now.size() >= enough) {
                if (SquashedPages.isIncremental(images)) {
                    return null;
                }
                last = file.getKey();
                return new Pages(last, file.getValue());
            }
        }
        return null;
    }

    /** Whether the engine has gone on to another one. */
    boolean hasLater(Pages pages) throws IOException {
        return !list().tailMap(pages.number, false).isEmpty();
    }

    /** It is in the archive, with so many bytes. */
    void packed(Pages pages, long size) throws IOException {
        BasicFileAttributes now = attributes(images.resolve(pages.name()));
        done.add(new Packed(pages.name(), now.fileKey(), size, now.lastModifiedTime()));
    }

    /** Whether what was packed still is what the images hold. */
    boolean unchanged() throws IOException {
        if (SquashedPages.isIncremental(images)) {
            return false;
        }
        for (Packed file : done) {
            BasicFileAttributes now = attributes(images.resolve(file.name()));
            if (!now.isRegularFile() || now.size() != file.size() || !now.fileKey().equals(file.key()) || !now.lastModifiedTime().equals(file.changed())) {
                return false;
            }
        }
        return true;
    }

    List<String> names() {
        return done.stream().map(Packed::name).toList();
    }

    private static BasicFileAttributes attributes(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }
}
