// SPDX-License-Identifier: MIT
package org.jenkinsci.plugins.workflow.steps;

public abstract class AbstractStepExecutionImpl extends StepExecution {
    protected AbstractStepExecutionImpl() {
        throw new UnsupportedOperationException();
    }

    protected AbstractStepExecutionImpl(StepContext stepContext) {
        throw new UnsupportedOperationException();
    }

    public void onResume() {
        throw new UnsupportedOperationException();
    }

    protected void inject() {
        throw new UnsupportedOperationException();
    }
}
