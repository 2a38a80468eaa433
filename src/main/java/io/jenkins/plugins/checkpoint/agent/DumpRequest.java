// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * What to dump, and how.
 *
 * @param directory the run's, or for a dump by pid a directory to work in
 * @param pid a process that is no run of ours; 0 for the run's root
 * @param name of the checkpoint
 * @param number counts the checkpoints of that name in the build
 * @param leaveRunning whether the processes go on
 * @param options RPC options by camelCase name
 * @param includes workspace files that travel with the processes, Ant patterns separated by commas; null for none
 * @param excludes those of them that do not; null for none
 * @param compression level, as zstd(1) counts
 * @param maxBytes largest images directory taken, 0 for any
 * @param timeoutSeconds how long freezing and dumping may take, 0 for the engine's own
 * @param incremental whether memory that did not change since the last checkpoint is left out
 * @param engine {@code auto}, {@code embedded} or {@code criu}
 * @param secrets values that nothing but the images may show
 */
public record DumpRequest(String directory, int pid, String name, int number, boolean leaveRunning, Map<String, Object> options, String includes,
        String excludes, int compression, long maxBytes, int timeoutSeconds, boolean incremental, String engine, List<String> secrets) implements Serializable {}
