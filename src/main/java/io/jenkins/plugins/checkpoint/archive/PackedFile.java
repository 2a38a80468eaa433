// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import io.jenkins.plugins.checkpoint.image.SquashedPages;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A file as it goes into an archive: as it is in the images directory or, of an incremental dump's memory, as it would be in a whole one. */
record PackedFile(String name, long size, Opener opener) {
    private static final String PARENT = "parent";

    /** Opens the content. */
    interface Opener {
        InputStream open() throws IOException;
    }

    /**
     * Lists what a directory's archive holds, by name.
     *
     * @throws ArchiveException if the directory holds something that is no plain file, or a name that no archive can have
     */
    static List<PackedFile> of(Path images) throws IOException {
        Map<String, PackedFile> squashed = SquashedPages.isIncremental(images) ? squash(images) : Map.of();
        List<PackedFile> files = new ArrayList<>();
        List<Path> paths;
        try (Stream<Path> list = Files.list(images)) {
            paths = list.sorted().toList();
        }
        Map<String, PackedFile> left = new HashMap<>(squashed);
        for (Path path : paths) {
            String name = path.getFileName().toString();
            if (name.equals(PARENT) && Files.isSymbolicLink(path)) {
                continue;
            }
            PackedFile whole = left.remove(name);
            files.add(whole != null ? whole : plain(path, name));
        }
        files.addAll(left.values()); // pages images that only the earlier dumps have anything for
        return files;
    }

    private static Map<String, PackedFile> squash(Path images) throws IOException {
        Map<String, PackedFile> files = new HashMap<>();
        for (SquashedPages pages : SquashedPages.of(images)) {
            byte[] pagemap = pages.pagemap();
            files.put(pages.pagemapName(), new PackedFile(pages.pagemapName(), pagemap.length, () -> new ByteArrayInputStream(pagemap)));
            if (files.put(pages.pagesName(), new PackedFile(pages.pagesName(), pages.size(), pages::pages)) != null) {
                throw new ArchiveException(images + ": two pagemaps of this incremental dump share " + pages.pagesName());
            }
        }
        return files;
    }

    private static PackedFile plain(Path path, String name) throws IOException {
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new ArchiveException(path + " is not a plain file; an images directory has only these");
        }
        if (!Manifest.isFileName(name)) {
            throw new ArchiveException("file name \"" + Manifest.printable(name) + "\" in " + path.getParent()
                    + ": only printable ASCII without blanks, up to 90 characters, can be packed; rename or remove it");
        }
        return new PackedFile(name, Files.size(path), () -> Files.newInputStream(path, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
    }
}
