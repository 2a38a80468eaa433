// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.model.Run;
import hudson.model.TaskListener;
import java.util.List;

/**
 * The build that a run belongs to, as it is at the moment: made anew after a restart of the controller.
 *
 * @param build the build
 * @param listener its console; secrets are masked in it
 * @param secrets values that nothing but the images may show
 */
record RunHost(Run<?, ?> build, TaskListener listener, List<String> secrets) {
    /** Prints a line of ours. */
    void say(String text) {
        listener.getLogger().println("[checkpoint] " + text);
    }
}
