// SPDX-License-Identifier: MIT
package hudson.node_monitors;

import hudson.model.Computer;
import hudson.remoting.Callable;
import java.io.IOException;

public abstract class AbstractAsyncNodeMonitorDescriptor<T> extends AbstractNodeMonitorDescriptor<T> {
    protected AbstractAsyncNodeMonitorDescriptor() {
        throw new UnsupportedOperationException();
    }

    protected AbstractAsyncNodeMonitorDescriptor(long value) {
        throw new UnsupportedOperationException();
    }

    protected AbstractAsyncNodeMonitorDescriptor(Class<? extends NodeMonitor> type) {
        throw new UnsupportedOperationException();
    }

    protected AbstractAsyncNodeMonitorDescriptor(Class<? extends NodeMonitor> type, long value) {
        throw new UnsupportedOperationException();
    }

    protected abstract Callable<T, IOException> createCallable(Computer computer);

    protected final AbstractAsyncNodeMonitorDescriptor.Result<T> monitorDetailed() throws InterruptedException {
        throw new UnsupportedOperationException();
    }

    protected static final class Result<T> {
        Result() {
            throw new UnsupportedOperationException();
        }
    }
}
