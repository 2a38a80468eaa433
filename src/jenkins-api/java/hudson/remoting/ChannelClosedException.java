// SPDX-License-Identifier: MIT
package hudson.remoting;

import org.jenkinsci.remoting.ChannelStateException;

public class ChannelClosedException extends ChannelStateException {
    ChannelClosedException() {
        super((Channel) null, (String) null); throw new UnsupportedOperationException();
    }
}
