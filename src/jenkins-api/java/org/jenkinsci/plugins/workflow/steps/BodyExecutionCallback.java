// SPDX-License-Identifier: MIT
package org.jenkinsci.plugins.workflow.steps;

import com.google.common.util.concurrent.FutureCallback;
import java.io.Serializable;

public abstract class BodyExecutionCallback implements Serializable {
    public BodyExecutionCallback() {
        throw new UnsupportedOperationException();
    }

    public void onStart(StepContext stepContext) {
        throw new UnsupportedOperationException();
    }

    public abstract void onSuccess(StepContext stepContext, Object object);
    public abstract void onFailure(StepContext stepContext, Throwable throwable);

    public static BodyExecutionCallback wrap(FutureCallback<Object> futureCallback) {
        throw new UnsupportedOperationException();
    }

    public static abstract class TailCall extends BodyExecutionCallback {
        public TailCall() {
            throw new UnsupportedOperationException();
        }

        protected abstract void finished(StepContext stepContext) throws Exception;

        public final void onSuccess(StepContext stepContext, Object object) {
            throw new UnsupportedOperationException();
        }

        public void onFailure(StepContext stepContext, Throwable throwable) {
            throw new UnsupportedOperationException();
        }
    }
}
