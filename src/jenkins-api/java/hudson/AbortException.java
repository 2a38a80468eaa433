// SPDX-License-Identifier: MIT
package hudson;

import java.io.IOException;

public class AbortException extends IOException {
    public AbortException() {
        throw new UnsupportedOperationException();
    }

    public AbortException(String text) {
        super(text);
    }
}
