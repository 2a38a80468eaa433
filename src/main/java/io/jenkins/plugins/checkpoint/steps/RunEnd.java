// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

/**
 * How a run ended.
 *
 * @param status its exit status, 0 to 255; -1 if it did not end by itself
 * @param checkpoint the checkpoint whose dump ended it, if one did; else null
 * @param shutDown whether that was because the agent shuts down
 */
record RunEnd(int status, String checkpoint, boolean shutDown) {
    /** Says whether nobody knows how it ended: killed from outside with its supervisor, or the machine was started anew. */
    boolean isUnknown() {
        return status < 0 && checkpoint == null;
    }
}
