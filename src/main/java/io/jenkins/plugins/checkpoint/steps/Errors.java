// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import io.jenkins.plugins.checkpoint.agent.AgentException;

/** What went wrong, in one line for the console. */
final class Errors {
    private Errors() {}

    /**
     * What a failure says.
     *
     * @param failure what was thrown here, or on an agent
     * @return its message, with that of its innermost cause where it does not say enough itself
     */
    static String line(Throwable failure) {
        String text = failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        if (cause != failure && !(failure instanceof AgentException) && !text.contains(String.valueOf(cause.getMessage()))) {
            text += " (" + cause.getClass().getSimpleName() + (cause.getMessage() == null ? "" : ": " + cause.getMessage()) + ")";
        }
        return text.replaceAll("\\s*\\R\\s*", " ");
    }
}
