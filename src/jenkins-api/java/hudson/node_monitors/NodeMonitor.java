// SPDX-License-Identifier: MIT
package hudson.node_monitors;

import hudson.ExtensionPoint;
import hudson.model.Computer;
import hudson.model.Describable;

public abstract class NodeMonitor implements ExtensionPoint, Describable<NodeMonitor> {
    public NodeMonitor() {
        throw new UnsupportedOperationException();
    }

    public String getColumnCaption() {
        throw new UnsupportedOperationException();
    }

    public AbstractNodeMonitorDescriptor<?> getDescriptor() {
        throw new UnsupportedOperationException();
    }

    public Object data(Computer computer) {
        throw new UnsupportedOperationException();
    }

    public boolean isIgnored() {
        throw new UnsupportedOperationException();
    }

    public void setIgnored(boolean value) {
        throw new UnsupportedOperationException();
    }
}
