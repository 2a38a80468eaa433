// SPDX-License-Identifier: MIT
package hudson.model;

import java.util.Collection;
import jenkins.model.CauseOfInterruption;

public class Executor extends Thread implements ModelObject {
    public void interrupt(Result result) {
        throw new UnsupportedOperationException();
    }

    public void interrupt(Result result, CauseOfInterruption[] causeOfInterruptions) {
        throw new UnsupportedOperationException();
    }

    public Result abortResult() {
        throw new UnsupportedOperationException();
    }

    public Queue.Executable getCurrentExecutable() {
        throw new UnsupportedOperationException();
    }

    public Collection<CauseOfInterruption> getCausesOfInterruption() {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public Computer getOwner() {
        throw new UnsupportedOperationException();
    }

    public static Executor currentExecutor() {
        throw new UnsupportedOperationException();
    }

    Executor() {
        throw new UnsupportedOperationException();
    }
}
