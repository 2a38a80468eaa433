// SPDX-License-Identifier: MIT
package hudson.util;

import hudson.model.TaskListener;

public abstract class AbstractTaskListener implements TaskListener {
    AbstractTaskListener() {
        throw new UnsupportedOperationException();
    }
}
