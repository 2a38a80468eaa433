// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.Locale;
import java.util.Optional;

/** What a mapping is to the program that has it. */
public enum MappingKind {
    /** Program code: a private, executable mapping of a file. */
    CODE,
    /** Any other private mapping of a file: constants, data, relocations. */
    FILE,
    /** A file, changes to which are the file's. */
    SHARED_FILE,
    /** The brk heap. */
    HEAP,
    /** The first thread's stack, or another that grows downwards. */
    STACK,
    /** Private memory without a file: malloc's arenas, thread stacks, a JVM's heap. */
    ANONYMOUS,
    /** Address space without access: reserved for later, or a guard. */
    RESERVED,
    /** Anonymous memory shared between processes, System V segments and memfds. */
    SHARED,
    /** vDSO, vvar, AIO rings, packet rings: the kernel's. */
    KERNEL;

    /**
     * The word that stands for it in JSON.
     *
     * @return such as {@code shared-file}
     */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Finds a kind by its word.
     *
     * @param word of {@link #word}
     * @return the kind; nothing for any other word
     */
    public static Optional<MappingKind> of(String word) {
        for (MappingKind kind : values()) {
            if (kind.word().equals(word)) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }
}
