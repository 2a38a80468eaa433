// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.List;
import java.util.Optional;

/**
 * What an images directory holds, as far as people ask for it.
 *
 * @param imageVersion version of the format, from the inventory
 * @param root pid of the tree's root
 * @param tasks all processes, parents before their children
 * @param stats times of the dump, if the images tell
 */
public record Checkpoint(int imageVersion, int root, List<Task> tasks, Optional<DumpStats> stats) {
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
