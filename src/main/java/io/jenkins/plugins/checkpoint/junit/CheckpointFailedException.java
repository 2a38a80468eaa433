// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.junit;

/** The service did not make the checkpoint; the process runs on as before. The message says what was in the way. */
public final class CheckpointFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CheckpointFailedException(String message) {
        super(message);
    }

    CheckpointFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
