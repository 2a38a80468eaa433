// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.List;
import java.util.Optional;

/**
 * What an images directory holds, as far as people ask for it; all of it, or the most of it that a {@link CheckpointSummary} has room for.
 *
 * @param imageVersion version of the format, from the inventory
 * @param root pid of the tree's root
 * @param totals sums over all processes
 * @param tasks processes, parents before their children
 * @param stats times of the dump, if the images tell
 * @param needs what a restore needs
 */
public record Checkpoint(int imageVersion, int root, Totals totals, List<Task> tasks, Optional<DumpStats> stats, Needs needs) {
    /**
     * Sums over all processes, those that a summary leaves out included.
     *
     * @param processes how many
     * @param threads how many
     * @param mappings how many
     * @param descriptors how many
     * @param mapped bytes of address space
     * @param stored bytes in pages images, shared memory counted once
     * @param inParent bytes in an earlier dump's pages images
     */
    public record Totals(int processes, int threads, int mappings, int descriptors, long mapped, long stored, long inParent) {}

    /**
     * Times of a dump, in microseconds, and counts of pages, from stats-dump.
     *
     * @param freezing how long it took to stop the tree
     * @param frozen how long the tree stood
     * @param memoryDump how long it took to take memory
     * @param memoryWrite how long it took to write it
     * @param pagesScanned pages looked at
     * @param pagesWritten pages written
     */
    public record DumpStats(long freezing, long frozen, long memoryDump, long memoryWrite, long pagesScanned, long pagesWritten) {}
}
