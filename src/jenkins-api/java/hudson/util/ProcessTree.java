// SPDX-License-Identifier: MIT
package hudson.util;

import java.io.Serializable;
import java.util.Iterator;
import java.util.Map;

public abstract class ProcessTree implements Iterable<ProcessTree.OSProcess> {
    public final ProcessTree.OSProcess get(int value) {
        throw new UnsupportedOperationException();
    }

    public final Iterator<ProcessTree.OSProcess> iterator() {
        throw new UnsupportedOperationException();
    }

    public abstract ProcessTree.OSProcess get(Process process);
    public abstract void killAll(Map<String, String> map) throws InterruptedException;

    public static ProcessTree get() {
        throw new UnsupportedOperationException();
    }

    ProcessTree() {
        throw new UnsupportedOperationException();
    }

    public abstract class OSProcess implements Serializable {
        OSProcess() {
            throw new UnsupportedOperationException();
        }
    }
}
