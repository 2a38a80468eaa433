// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Files that a command writes: whole, or not at all. */
final class OutputFile {
    private OutputFile() {}

    /**
     * Writes a file under a temporary name, then renames it.
     *
     * @param path the file; an older one is replaced
     * @param text its contents
     * @throws IOException if it cannot be written; an older one is then as it was
     */
    static void write(Path path, String text) throws IOException {
        Path parent = path.toAbsolutePath().getParent();
        if (!Files.isDirectory(parent)) {
            throw new IOException(parent + ": no such directory; make it first");
        }
        // Not createTempFile, whose files nobody else may read, whatever the umask says.
        Path temporary = parent.resolve("." + path.getFileName() + "." + ProcessHandle.current().pid() + ".part");
        try {
            Files.writeString(temporary, text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }
}
