// SPDX-License-Identifier: MIT
package hudson.node_monitors;

import hudson.model.Computer;
import hudson.model.Descriptor;
import hudson.slaves.OfflineCause;

public abstract class AbstractNodeMonitorDescriptor<T> extends Descriptor<NodeMonitor> {
    public T get(Computer computer) {
        throw new UnsupportedOperationException();
    }

    protected boolean markOnline(Computer computer) {
        throw new UnsupportedOperationException();
    }

    protected boolean markOffline(Computer computer, OfflineCause offlineCause) {
        throw new UnsupportedOperationException();
    }

    protected boolean markOffline(Computer computer) {
        throw new UnsupportedOperationException();
    }

    AbstractNodeMonitorDescriptor() {
        throw new UnsupportedOperationException();
    }
}
