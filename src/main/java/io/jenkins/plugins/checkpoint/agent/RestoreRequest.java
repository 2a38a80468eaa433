// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;
import java.util.List;

/**
 * A checkpoint to bring back.
 *
 * @param directory the new run's own directory; the archive lies in it as {@link #ARCHIVE}
 * @param workspace of the step that restores
 * @param maxBytes what the archive may expand to
 * @param arguments further options of {@code pcr restore}
 */
public record RestoreRequest(String directory, String workspace, long maxBytes, List<String> arguments) implements Serializable {
    /** Name of the archive in the run's directory. */
    public static final String ARCHIVE = "restore.tar.zst";
}
