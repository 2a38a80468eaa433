// SPDX-License-Identifier: MIT
package hudson.node_monitors;

import hudson.slaves.OfflineCause;

public abstract class MonitorOfflineCause extends OfflineCause {
    MonitorOfflineCause() {
        throw new UnsupportedOperationException();
    }
}
