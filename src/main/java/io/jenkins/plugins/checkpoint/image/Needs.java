// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

import java.util.List;

/**
 * What has to be there when a checkpoint is restored, as far as its images tell. Kernel and CPU are in an archive's manifest.
 *
 * @param files files that have to be there, each path once
 * @param options of the restore, with reasons
 * @param privileges rights and circumstances, a sentence each
 * @param omittedFiles how many files were left out of the list to bound its size
 */
public record Needs(List<NeededFile> files, List<NeededOption> options, List<String> privileges, int omittedFiles) {
    /**
     * A file.
     *
     * @param path absolute
     * @param size that it has to have, in bytes; -1 if it does not matter
     * @param use {@code program}, {@code mapped}, {@code open}, {@code directory} or {@code device}
     */
    public record NeededFile(String path, long size, String use) {}

    /**
     * An option of criu and pcr.
     *
     * @param option such as {@code --tcp-established}
     * @param reason why
     */
    public record NeededOption(String option, String reason) {}
}
