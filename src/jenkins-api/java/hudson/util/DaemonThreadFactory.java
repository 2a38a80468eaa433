// SPDX-License-Identifier: MIT
package hudson.util;

import java.util.concurrent.ThreadFactory;

public class DaemonThreadFactory implements ThreadFactory {
    public DaemonThreadFactory() {
        throw new UnsupportedOperationException();
    }

    public DaemonThreadFactory(ThreadFactory threadFactory) {
        throw new UnsupportedOperationException();
    }

    public Thread newThread(Runnable runnable) {
        throw new UnsupportedOperationException();
    }
}
