// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;

/** What steps do first. */
final class Steps {
    private Steps() {}

    /**
     * Checks options.
     *
     * @throws AbortException saying which is wrong
     */
    static void validate(RunOptions options) throws AbortException {
        try {
            options.validate();
        } catch (IllegalArgumentException e) {
            throw new AbortException(e.getMessage());
        }
    }
}
