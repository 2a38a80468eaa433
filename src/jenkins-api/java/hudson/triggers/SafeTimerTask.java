// SPDX-License-Identifier: MIT
package hudson.triggers;

import java.util.TimerTask;

public abstract class SafeTimerTask extends TimerTask {
    public SafeTimerTask() {
        throw new UnsupportedOperationException();
    }
}
