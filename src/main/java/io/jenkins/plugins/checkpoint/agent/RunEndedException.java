// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

/** A run ended before it could be dumped. */
public final class RunEndedException extends AgentException {
    private static final long serialVersionUID = 1;

    /**
     * A failure.
     *
     * @param name of the run
     */
    RunEndedException(String name) {
        super("the run \"" + name + "\" has ended already");
    }
}
