// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.List;

/**
 * A process in a checkpoint.
 *
 * @param pid its id when it was dumped
 * @param parent its parent's; 0 for the root of the tree
 * @param group process group
 * @param session session
 * @param threads ids of all threads, the first one is the pid
 * @param state what it was: {@code alive}, {@code zombie}, {@code stopped}, ...
 * @param name comm
 * @param program path of the executable; empty if unknown
 * @param arguments command line; empty if its memory is not among the images
 * @param memory its memory
 * @param files its descriptors
 */
public record Task(int pid, int parent, int group, int session, List<Integer> threads, String state, String name, String program,
        List<String> arguments, Memory memory, List<OpenFile> files) {
    /**
     * Sizes of an address space, in bytes.
     *
     * @param mappings how many mappings
     * @param mapped their size together
     * @param stored what of it is in this directory's pages images
     * @param inParent what of it is in an earlier dump
     */
    public record Memory(int mappings, long mapped, long stored, long inParent) {
        /** Nothing, as for a zombie. */
        public static final Memory NONE = new Memory(0, 0, 0, 0);
    }

    /**
     * An open descriptor.
     *
     * @param descriptor its number
     * @param kind such as {@code reg}, {@code pipe}, {@code unixsk}
     * @param name path or other name; empty if the kind has none
     * @param position offset; 0 for kinds that have none
     */
    public record OpenFile(int descriptor, String kind, String name, long position) {}
}
