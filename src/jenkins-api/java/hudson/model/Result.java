// SPDX-License-Identifier: MIT
package hudson.model;

import io.jenkins.plugins.checkpoint.signatures.Signatures;
import java.io.Serializable;

public final class Result implements Serializable {
    public static final Result SUCCESS = Signatures.none();
    public static final Result UNSTABLE = Signatures.none();
    public static final Result FAILURE = Signatures.none();
    public static final Result NOT_BUILT = Signatures.none();
    public static final Result ABORTED = Signatures.none();

    public boolean isWorseThan(Result result) {
        throw new UnsupportedOperationException();
    }

    public boolean isWorseOrEqualTo(Result result) {
        throw new UnsupportedOperationException();
    }

    public boolean isBetterOrEqualTo(Result result) {
        throw new UnsupportedOperationException();
    }

    public String toString() {
        throw new UnsupportedOperationException();
    }

    Result() {
        throw new UnsupportedOperationException();
    }
}
