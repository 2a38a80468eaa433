// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.Launcher;
import hudson.model.AbstractBuild;
import hudson.model.BuildListener;
import hudson.util.FormValidation;
import java.io.IOException;
import org.jenkinsci.Symbol;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/** {@code checkpointDump} in freestyle jobs: a process by its pid, since build steps run one after the other. */
public final class CheckpointDumpBuilder extends CheckpointBuilder {
    private int pid;
    private boolean leaveRunning = true;

    /** A build step. */
    @DataBoundConstructor
    public CheckpointDumpBuilder() {
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
    public boolean perform(AbstractBuild<?, ?> build, Launcher launcher, BuildListener listener) throws InterruptedException, IOException {
        if (options.name.isEmpty()) {
            options.name = pid > 0 ? "pid-" + pid : "run";
        }
        Steps.validate(options);
        DumpNow.make(FreestyleRun.host(build, listener), options, pid, leaveRunning, build.getWorkspace());
        return true;
    }

    /** The build step's name, form and checks. */
    @Extension
    @Symbol("checkpointDump")
    public static final class DescriptorImpl extends CheckpointBuilderDescriptor {
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
        Class<? extends Step> step() {
            return CheckpointDumpStep.class;
        }
    }
}
