// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.ExtensionPoint;
import hudson.triggers.SafeTimerTask;
import io.jenkins.plugins.checkpoint.signatures.Signatures;

public abstract class PeriodicWork extends SafeTimerTask implements ExtensionPoint {
    protected static final long MIN = Signatures.none();
    protected static final long HOUR = Signatures.none();
    protected static final long DAY = Signatures.none();

    public PeriodicWork() {
        throw new UnsupportedOperationException();
    }

    public abstract long getRecurrencePeriod();
}
