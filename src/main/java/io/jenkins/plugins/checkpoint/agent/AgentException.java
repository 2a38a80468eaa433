// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.IOException;

/** Something a user can do something about; its message is all that is shown. */
public class AgentException extends IOException {
    private static final long serialVersionUID = 1;

    /**
     * An error to be shown in one line.
     *
     * @param message what failed, where, why, what to do
     */
    public AgentException(String message) {
        super(message);
    }
}
