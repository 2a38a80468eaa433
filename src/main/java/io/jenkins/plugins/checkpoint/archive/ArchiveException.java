// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.archive;

import java.io.IOException;

/** An archive that is damaged, hostile, too large, or not a checkpoint; or a directory that cannot become one. */
public final class ArchiveException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Reports what is wrong.
     *
     * @param message in one line, with the entry's name
     */
    public ArchiveException(String message) {
        super(message);
    }
}
