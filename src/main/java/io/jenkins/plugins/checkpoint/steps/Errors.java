// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import io.jenkins.plugins.checkpoint.agent.AgentException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

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
        String text = text(failure);
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        if (cause != failure && !(failure instanceof AgentException) && !text.contains(String.valueOf(cause.getMessage()))) {
            text += " (" + cause.getClass().getSimpleName() + (cause.getMessage() == null ? "" : ": " + cause.getMessage()) + ")";
        }
        return text.replaceAll("\\s*\\R\\s*", " ");
    }

    // Java's own exceptions for these two say the path and nothing else.
    private static String text(Throwable failure) {
        if (failure.getMessage() == null) {
            return failure.getClass().getSimpleName();
        }
        if (failure instanceof FileSystemException file && file.getReason() == null) {
            return (file instanceof NoSuchFileException ? "there is no " : file instanceof AccessDeniedException ? "no permission for " : "cannot use ") + file.getMessage();
        }
        return failure.getMessage();
    }
}
