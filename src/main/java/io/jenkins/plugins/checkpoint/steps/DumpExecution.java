// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.EnvVars;
import hudson.FilePath;
import hudson.model.Run;
import hudson.model.TaskListener;
import java.io.IOException;
import org.jenkinsci.plugins.workflow.steps.EnvironmentExpander;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.SynchronousNonBlockingStepExecution;

/** A {@code checkpointDump} that goes on. */
final class DumpExecution extends SynchronousNonBlockingStepExecution<Integer> {
    private static final long serialVersionUID = 1;

    private final RunOptions options;
    private final int pid;
    private final boolean leaveRunning;

    DumpExecution(StepContext context, RunOptions options, int pid, boolean leaveRunning) {
        super(context);
        this.options = options;
        this.pid = pid;
        this.leaveRunning = leaveRunning;
    }

    /** Gives back the checkpoint's number. */
    @Override
    protected Integer run() throws IOException, InterruptedException {
        StepContext context = getContext();
        Run<?, ?> build = context.get(Run.class);
        RunHost host = new RunHost(build, context.get(TaskListener.class), Secrets.of(context.get(EnvVars.class), context.get(EnvironmentExpander.class)));
        return DumpNow.make(host, options, pid, leaveRunning, context.get(FilePath.class));
    }
}
