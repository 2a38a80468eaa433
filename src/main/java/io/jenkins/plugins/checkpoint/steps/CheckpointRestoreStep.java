// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.FilePath;
import hudson.model.Run;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepExecution;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;

/** {@code checkpointRestore}: brings a checkpoint back and follows it until it ends. */
public final class CheckpointRestoreStep extends CheckpointRunningStep {
    private String project;
    private String selector;
    private int number;

    /** A step. */
    @DataBoundConstructor
    public CheckpointRestoreStep() {}

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
    public StepExecution start(StepContext context) throws Exception {
        Steps.validate(options);
        Steps.requireAgentItself(context);
        // Here, with the rights of the build.
        CheckpointSource source = CheckpointSource.find(context.get(Run.class), options.name, number, project, selector);
        return new RunExecution(context, new RunSession(options, context.get(FilePath.class)), null, source);
    }

    /** The step's name, form and checks. */
    @Extension
    public static final class DescriptorImpl extends CheckpointStepDescriptor {
        @Override
        public String getFunctionName() {
            return "checkpointRestore";
        }

        @Override
        public String getDisplayName() {
            return Messages.Restore_DisplayName();
        }
    }
}
