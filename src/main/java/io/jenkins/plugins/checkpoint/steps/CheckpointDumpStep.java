// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.util.FormValidation;
import java.util.Set;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepExecution;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/** {@code checkpointDump}: makes a checkpoint now. */
public final class CheckpointDumpStep extends CheckpointStep {
    private int pid;
    private boolean leaveRunning = true;

    /** A step. */
    @DataBoundConstructor
    public CheckpointDumpStep() {
        options.name = "";
    }

    /** The process to dump; 0 for the run of that name. */
    public int getPid() {
        return pid;
    }

    /** Sets {@link #getPid}. */
    @DataBoundSetter
    public void setPid(int pid) {
        this.pid = pid;
    }

    /** Whether the processes go on after the dump. */
    public boolean isLeaveRunning() {
        return leaveRunning;
    }

    /** Sets {@link #isLeaveRunning}. */
    @DataBoundSetter
    public void setLeaveRunning(boolean leaveRunning) {
        this.leaveRunning = leaveRunning;
    }

    @Override
    public StepExecution start(StepContext context) throws Exception {
        if (options.name.isEmpty()) {
            options.name = pid > 0 ? "pid-" + pid : "run";
        }
        Steps.validate(options);
        return new DumpExecution(context, options, pid, leaveRunning);
    }

    /** The step's name, form and checks. */
    @Extension
    public static final class DescriptorImpl extends CheckpointStepDescriptor {
        @Override
        public String getFunctionName() {
            return "checkpointDump";
        }

        @Override
        public String getDisplayName() {
            return Messages.Dump_DisplayName();
        }

        @POST
        @Override
        public FormValidation doCheckName(@QueryParameter String value) {
            return FormChecks.optionalName(value);
        }

        @Override
        public Set<? extends Class<?>> getRequiredContext() {
            return Set.of(Run.class, TaskListener.class);
        }
    }
}
