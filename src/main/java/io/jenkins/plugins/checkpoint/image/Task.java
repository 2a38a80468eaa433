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
 * @param threads all threads; the first one's id is the pid
 * @param state what it was: {@code alive}, {@code zombie}, {@code stopped}, ...
 * @param name comm
 * @param program path of the executable; empty if unknown
 * @param arguments command line; empty if its memory is not among the images
 * @param directory working directory; empty if unknown
 * @param credentials who it is
 * @param memory sums over its mappings
 * @param mappings its address space, by address
 * @param descriptors its open descriptors
 * @param timers its timers that exist or are armed
 * @param omitted what a summary left out of these lists
 */
public record Task(int pid, int parent, int group, int session, List<TaskThread> threads, String state, String name, String program,
        List<String> arguments, String directory, Credentials credentials, Memory memory, List<Mapping> mappings, List<Descriptor> descriptors,
        List<TaskTimer> timers, Omitted omitted) {
    /**
     * Sizes of an address space, in bytes. Memory shared between processes counts in mapped only.
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
     * How many were left out to bound a summary's size: those of least weight.
     *
     * @param threads threads
     * @param mappings mappings
     * @param mapped size of these mappings, in bytes
     * @param stored stored bytes of these mappings
     * @param descriptors descriptors
     * @param timers timers
     */
    public record Omitted(int threads, int mappings, long mapped, long stored, int descriptors, int timers) {
        /** Nothing is left out. */
        public static final Omitted NONE = new Omitted(0, 0, 0, 0, 0, 0);
    }

    /**
     * Ids of the threads that are listed.
     *
     * @return tids
     */
    public List<Integer> threadIds() {
        return threads.stream().map(TaskThread::id).toList();
    }

    Task withDescriptors(List<Descriptor> list) {
        return new Task(pid, parent, group, session, threads, state, name, program, arguments, directory, credentials, memory, mappings, list, timers, omitted);
    }
}
