// SPDX-License-Identifier: MIT
package hudson.slaves;

public abstract class OfflineCause {
    public OfflineCause() {
        throw new UnsupportedOperationException();
    }

    public long getTimestamp() {
        throw new UnsupportedOperationException();
    }
}
