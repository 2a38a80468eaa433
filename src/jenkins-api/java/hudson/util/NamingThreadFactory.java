// SPDX-License-Identifier: MIT
package hudson.util;

import java.util.concurrent.ThreadFactory;

public final class NamingThreadFactory implements ThreadFactory {
    public NamingThreadFactory(ThreadFactory threadFactory, String text) {
        throw new UnsupportedOperationException();
    }

    public Thread newThread(Runnable runnable) {
        throw new UnsupportedOperationException();
    }
}
