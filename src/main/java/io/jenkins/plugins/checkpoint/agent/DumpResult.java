// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;

/**
 * A checkpoint on the agent's disk.
 *
 * @param directory where its files are, by name: {@code N.tar.zst}, {@code N.json}, {@code N.dump.log}
 * @param imageBytes size of the images
 * @param archiveBytes size of the archive
 * @param frozenMicros how long the processes stood still, in microseconds; 0 if the engine does not tell
 * @param dumpMillis how long the dump took
 * @param packMillis how long packing took
 * @param workspaceFiles how many workspace files went along
 * @param processes how many processes it has
 * @param md5 of the archive, as Jenkins' fingerprints are
 */
public record DumpResult(String directory, long imageBytes, long archiveBytes, long frozenMicros, long dumpMillis, long packMillis, int workspaceFiles,
        int processes, String md5) implements Serializable {}
