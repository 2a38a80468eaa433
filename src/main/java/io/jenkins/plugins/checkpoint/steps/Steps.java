// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.LauncherDecorator;
import java.io.IOException;
import org.jenkinsci.plugins.workflow.steps.StepContext;

/** What steps do first. */
final class Steps {
    private Steps() {}

    /**
     * Refuses to work inside steps such as {@code docker.inside} that start commands elsewhere than on the agent itself: runs are started there.
     *
     * @throws AbortException if a step's context changes how commands are started
     */
    static void requireAgentItself(StepContext context) throws IOException, InterruptedException {
        LauncherDecorator decorator = context.get(LauncherDecorator.class);
        if (decorator != null) {
            throw new AbortException(Messages.Steps_Decorated(decorator.getClass().getName()));
        }
    }

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
