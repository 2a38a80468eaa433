// SPDX-License-Identifier: MIT
package jenkins.util;

import hudson.model.BuildListener;
import hudson.model.TaskListener;
import java.io.PrintStream;

public final class BuildListenerAdapter implements BuildListener {
    public BuildListenerAdapter(TaskListener taskListener) {
        throw new UnsupportedOperationException();
    }

    public PrintStream getLogger() {
        throw new UnsupportedOperationException();
    }

    public static BuildListener wrap(TaskListener taskListener) {
        throw new UnsupportedOperationException();
    }
}
