// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Files that are not whole yet: when the program is told to end (Ctrl-C, SIGTERM) in the middle, they go with it. */
final class Leftovers {
    private static final Set<Path> FILES = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(Leftovers::deleteAll, "checkpoint archive leftovers"));
    }

    private Leftovers() {}

    /**
     * Makes an empty file beside the one that it is to become.
     *
     * @param whole the name that it gets in the end
     * @return the file, with a hidden name that ends in {@code .part}
     */
    static Path create(Path whole) throws IOException {
        Path file = Files.createTempFile(whole.toAbsolutePath().getParent(), "." + whole.getFileName(), ".part");
        FILES.add(file);
        return file;
    }

    /** It is whole, and has another name now. */
    static void forget(Path file) {
        FILES.remove(file);
    }

    /** Removes it. */
    static void delete(Path file) throws IOException {
        FILES.remove(file);
        Files.deleteIfExists(file);
    }

    private static void deleteAll() {
        for (Path file : FILES) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                // The program ends; its name tells that it is not whole.
                continue;
            }
        }
    }
}
