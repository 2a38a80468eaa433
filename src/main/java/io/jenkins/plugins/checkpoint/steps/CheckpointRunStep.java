// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.Extension;
import hudson.FilePath;
import hudson.model.Run;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepExecution;
import org.kohsuke.stapler.DataBoundConstructor;

/** {@code checkpointRun}: runs a script as {@code sh} does, able to be checkpointed. */
public final class CheckpointRunStep extends CheckpointRunningStep {
    private final String script;

    /**
     * A step.
     *
     * @param script what to run
     */
    @DataBoundConstructor
    public CheckpointRunStep(String script) {
        this.script = script;
    }

    /** What to run. */
    public String getScript() {
        return script;
    }

    @Override
    public StepExecution start(StepContext context) throws Exception {
        Steps.validate(options);
        Steps.requireAgentItself(context);
        if (script == null || script.isBlank()) {
            throw new AbortException(Messages.Script_Missing());
        }
        CheckpointSource source = RestoreRequests.find(context.get(Run.class), options.name);
        return new RunExecution(context, new RunSession(options, context.get(FilePath.class)), source == null ? script : null, source);
    }

    /** The step's name, form and checks. */
    @Extension
    public static final class DescriptorImpl extends CheckpointStepDescriptor {
        @Override
        public String getFunctionName() {
            return "checkpointRun";
        }

        @Override
        public String getDisplayName() {
            return Messages.Run_DisplayName();
        }
    }
}
