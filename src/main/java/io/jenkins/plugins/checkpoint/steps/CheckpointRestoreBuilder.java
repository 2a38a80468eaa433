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
import org.kohsuke.stapler.DataBoundSetter;

/** {@code checkpointRestore} in freestyle jobs. */
public final class CheckpointRestoreBuilder extends CheckpointRunningBuilder {
    private String project;
    private String selector;
    private int number;

    /** A build step. */
    @DataBoundConstructor
    public CheckpointRestoreBuilder() {}

    /** Another job whose checkpoint to restore, relative to this one; null for this. */
    public String getProject() {
        return project;
    }

    /** Sets {@link #getProject}. */
    @DataBoundSetter
    public void setProject(String project) {
        this.project = RunOptions.text(project);
    }

    /** Which of its builds. */
    public String getSelector() {
        return selector;
    }

    /** Sets {@link #getSelector}. */
    @DataBoundSetter
    public void setSelector(String selector) {
        this.selector = RunOptions.text(selector);
    }

    /** Which checkpoint of the name; 0 for the last. */
    public int getNumber() {
        return number;
    }

    /** Sets {@link #getNumber}. */
    @DataBoundSetter
    public void setNumber(int number) {
        this.number = number;
    }

    @Override
    public boolean perform(AbstractBuild<?, ?> build, Launcher launcher, BuildListener listener) throws InterruptedException, IOException {
        return FreestyleRun.follow(build, listener, options, null, CheckpointSource.find(build, options.name, number, project, selector));
    }

    /** The build step's name, form and checks. */
    @Extension
    @Symbol("checkpointRestore")
    public static final class DescriptorImpl extends CheckpointBuilderDescriptor {
        @Override
        public String getDisplayName() {
            return Messages.Restore_DisplayName();
        }

        @Override
        Class<? extends Step> step() {
            return CheckpointRestoreStep.class;
        }
    }
}
