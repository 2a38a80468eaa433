// SPDX-License-Identifier: MIT
package org.jenkinsci.plugins.workflow.steps;

import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.ListenableFuture;
import hudson.model.Result;
import java.io.IOException;
import java.io.Serializable;

public abstract class StepContext implements FutureCallback<Object>, Serializable {
    public StepContext() {
        throw new UnsupportedOperationException();
    }

    public abstract <T> T get(Class<T> type) throws IOException, InterruptedException;
    public abstract void onSuccess(Object object);
    public abstract boolean isReady();
    public abstract ListenableFuture<Void> saveState();
    public abstract void setResult(Result result);
    public abstract BodyInvoker newBodyInvoker() throws IllegalStateException;

    public boolean hasBody() {
        throw new UnsupportedOperationException();
    }
}
