// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.util.StreamTaskListener;
import java.io.OutputStream;
import java.nio.charset.Charset;

public class StreamBuildListener extends StreamTaskListener implements BuildListener {
    public StreamBuildListener(OutputStream outputStream, Charset charset) {
        super((OutputStream) null, (Charset) null); throw new UnsupportedOperationException();
    }

    public StreamBuildListener(OutputStream outputStream) {
        super((OutputStream) null, (Charset) null); throw new UnsupportedOperationException();
    }
}
