// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import java.util.ArrayList;
import java.util.List;
import org.kohsuke.stapler.DataBoundSetter;

/** Pipeline steps that follow a run until it ends. */
public abstract class CheckpointRunningStep extends CheckpointStep {
    /** Only the classes of this package are. */
    CheckpointRunningStep() {}

    /** Checkpoint every. */
    public String getEvery() {
        return options.every;
    }

    /** Sets {@link #getEvery}. */
    @DataBoundSetter
    public void setEvery(String every) {
        options.every = RunOptions.text(every);
    }

    /** Checkpoint on. */
    public List<String> getOn() {
        return options.on;
    }

    /** Sets {@link #getOn}. */
    @DataBoundSetter
    public void setOn(List<String> on) {
        options.on = on == null ? new ArrayList<>() : new ArrayList<>(on);
    }

    /** Incremental. */
    public boolean isIncremental() {
        return options.incremental;
    }

    /** Sets {@link #isIncremental}. */
    @DataBoundSetter
    public void setIncremental(boolean incremental) {
        options.incremental = incremental;
    }

    /** Return exit status. */
    public boolean isReturnStatus() {
        return options.returnStatus;
    }

    /** Sets {@link #isReturnStatus}. */
    @DataBoundSetter
    public void setReturnStatus(boolean returnStatus) {
        options.returnStatus = returnStatus;
    }

    /** Return standard output. */
    public boolean isReturnStdout() {
        return options.returnStdout;
    }

    /** Sets {@link #isReturnStdout}. */
    @DataBoundSetter
    public void setReturnStdout(boolean returnStdout) {
        options.returnStdout = returnStdout;
    }
}
