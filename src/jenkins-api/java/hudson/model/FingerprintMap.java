// SPDX-License-Identifier: MIT
package hudson.model;

import java.io.IOException;

public final class FingerprintMap {
    public Fingerprint getOrCreate(Run run, String text1, String text2) throws IOException {
        throw new UnsupportedOperationException();
    }

    FingerprintMap() {
        throw new UnsupportedOperationException();
    }
}
