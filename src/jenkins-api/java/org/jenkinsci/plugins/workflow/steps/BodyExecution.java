// SPDX-License-Identifier: MIT
package org.jenkinsci.plugins.workflow.steps;

import java.io.Serializable;
import java.util.concurrent.Future;
import jenkins.model.CauseOfInterruption;

public abstract class BodyExecution implements Future<Object>, Serializable {
    public boolean cancel(CauseOfInterruption[] causeOfInterruptions) {
        throw new UnsupportedOperationException();
    }

    public boolean cancel(boolean value) {
        throw new UnsupportedOperationException();
    }

    public boolean cancel(Throwable throwable) {
        throw new UnsupportedOperationException();
    }

    BodyExecution() {
        throw new UnsupportedOperationException();
    }
}
