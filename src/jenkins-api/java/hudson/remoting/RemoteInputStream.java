// SPDX-License-Identifier: MIT
package hudson.remoting;

import java.io.IOException;
import java.io.InputStream;
import java.util.Set;

public class RemoteInputStream extends InputStream {
    public RemoteInputStream(InputStream inputStream) {
        throw new UnsupportedOperationException();
    }

    public RemoteInputStream(InputStream inputStream, boolean value) {
        throw new UnsupportedOperationException();
    }

    public RemoteInputStream(InputStream inputStream, RemoteInputStream.Flag flag) {
        throw new UnsupportedOperationException();
    }

    public RemoteInputStream(InputStream inputStream, RemoteInputStream.Flag flag1, RemoteInputStream.Flag flag2) {
        throw new UnsupportedOperationException();
    }

    public RemoteInputStream(InputStream inputStream, Set<RemoteInputStream.Flag> set) {
        throw new UnsupportedOperationException();
    }

    public int read() throws IOException {
        throw new UnsupportedOperationException();
    }

    public void close() throws IOException {
        throw new UnsupportedOperationException();
    }

    public enum Flag {
        GREEDY, NOT_GREEDY, MANUAL_UNEXPORT;
    }
}
