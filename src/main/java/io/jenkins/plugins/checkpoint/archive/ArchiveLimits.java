// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

/**
 * What an archive may expand to.
 *
 * @param entries how many files at most
 * @param bytes how many bytes all of them together
 * @param ratio how many bytes each compressed byte may expand to, once more than {@code ratioFloor} bytes came out
 * @param ratioFloor bytes that may come out at any ratio
 */
public record ArchiveLimits(int entries, long bytes, long ratio, long ratioFloor) {
    /** Room for every real checkpoint: 100000 files, 1 TiB, and a compression that only constant memory reaches. */
    public static final ArchiveLimits DEFAULT = new ArchiveLimits(100_000, 1L << 40, 2_000, 1L << 30);

    /**
     * The same with another total.
     *
     * @param total bytes of all files together
     * @return new limits
     */
    public ArchiveLimits withBytes(long total) {
        return new ArchiveLimits(entries, total, ratio, ratioFloor);
    }
}
