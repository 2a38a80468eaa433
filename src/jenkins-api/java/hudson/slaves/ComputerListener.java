// SPDX-License-Identifier: MIT
package hudson.slaves;

import hudson.ExtensionPoint;
import hudson.FilePath;
import hudson.model.Computer;
import hudson.model.TaskListener;
import hudson.remoting.Channel;
import java.io.IOException;

public abstract class ComputerListener implements ExtensionPoint {
    public ComputerListener() {
        throw new UnsupportedOperationException();
    }

    public void preOnline(Computer computer, Channel channel, FilePath filePath, TaskListener taskListener) throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public void onOnline(Computer computer) {
        throw new UnsupportedOperationException();
    }

    public void onOnline(Computer computer, TaskListener taskListener) throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public void onOffline(Computer computer, OfflineCause offlineCause) {
        throw new UnsupportedOperationException();
    }

    public void onTemporarilyOffline(Computer computer, OfflineCause offlineCause) {
        throw new UnsupportedOperationException();
    }
}
