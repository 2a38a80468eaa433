// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.Launcher;
import hudson.model.AbstractBuild;
import hudson.model.BuildListener;
import java.io.IOException;
import org.jenkinsci.Symbol;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.kohsuke.stapler.DataBoundConstructor;

/** {@code checkpointRun} in freestyle jobs. */
public final class CheckpointRunBuilder extends CheckpointRunningBuilder {
    private final String script;

    /**
     * A build step.
     *
     * @param script what to run
     */
    @DataBoundConstructor
    public CheckpointRunBuilder(String script) {
        this.script = script;
    }

    /** What to run. */
    public String getScript() {
        return script;
    }

    @Override
    public boolean perform(AbstractBuild<?, ?> build, Launcher launcher, BuildListener listener) throws InterruptedException, IOException {
        return FreestyleRun.follow(build, listener, options, script, RestoreRequests.find(build, options.name));
    }

    /** The build step's name, form and checks. */
    @Extension
    @Symbol("checkpointRun")
    public static final class DescriptorImpl extends CheckpointBuilderDescriptor {
        @Override
        public String getDisplayName() {
            return Messages.Run_DisplayName();
        }

        @Override
        Class<? extends Step> step() {
            return CheckpointRunStep.class;
        }
    }
}
