// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

/** How it goes on after {@link Checkpoints#now}. */
public enum CheckpointOutcome {
    /** The process was dumped and has been running on since. */
    DUMPED,
    /** The process is a copy that was restored from the dump, later, and perhaps elsewhere: connections to the outside are to be opened again. */
    RESTORED,
    /** There is no service to ask, so nothing was done. */
    NO_SERVICE;

    /**
     * Says whether this is the restored copy.
     *
     * @return true for {@link #RESTORED}
     */
    public boolean isRestored() {
        return this == RESTORED;
    }
}
