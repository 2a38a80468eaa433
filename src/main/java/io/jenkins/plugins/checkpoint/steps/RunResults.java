// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.FilePath;
import io.jenkins.plugins.checkpoint.agent.AgentException;
import java.io.IOException;
import java.util.List;
import jenkins.model.CauseOfInterruption;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;

/** What the end of a run means for its step. */
final class RunResults {
    private RunResults() {}

    /**
     * The value of a step, as {@code sh} would give it.
     *
     * @param session the run
     * @param place the agent's directory of it
     * @param end how it ended
     * @return the exit status, standard output, or nothing
     * @throws AbortException if the step fails; the message says why
     */
    static Object value(RunSession session, FilePath place, RunEnd end) throws IOException, InterruptedException {
        RunOptions options = session.options;
        if (end.isUnknown()) {
            throw new AbortException(Messages.Run_Gone(options.name));
        }
        if (end.shutDown()) {
            throw new AbortException(Messages.Run_ShutDown(end.checkpoint()));
        }
        if (session.uploadFailure() != null && end.checkpoint() == null) {
            throw new AbortException(Messages.Run_NotArchived(String.valueOf(end.status()), session.uploadFailure()));
        }
        if (options.returnStatus) {
            return end.status();
        }
        if (end.status() > 0) {
            throw new AbortException(Messages.Run_ExitCode(String.valueOf(end.status())));
        }
        try {
            return options.returnStdout ? session.output(place) : null;
        } catch (AgentException e) {
            throw new AbortException(e.getMessage());
        }
    }

    /** Why somebody stops a step: a time limit, or a person. */
    static CheckpointReason reason(Throwable cause) {
        List<CauseOfInterruption> causes = cause instanceof FlowInterruptedException interrupted ? interrupted.getCauses() : List.of();
        // The timeout step's ExceededTimeout; its plugin need not be there.
        return causes.stream().anyMatch(one -> one.getClass().getName().contains("Timeout")) ? CheckpointReason.TIMEOUT : CheckpointReason.ABORT;
    }
}
