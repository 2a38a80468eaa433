// SPDX-License-Identifier: MIT
package hudson;

import hudson.model.TaskListener;
import hudson.remoting.VirtualChannel;
import java.io.IOException;
import java.util.Map;

public abstract class Launcher {
    public VirtualChannel getChannel() {
        throw new UnsupportedOperationException();
    }

    public TaskListener getListener() {
        throw new UnsupportedOperationException();
    }

    public boolean isUnix() {
        throw new UnsupportedOperationException();
    }

    public abstract void kill(Map<String, String> map) throws IOException, InterruptedException;

    Launcher() {
        throw new UnsupportedOperationException();
    }
}
