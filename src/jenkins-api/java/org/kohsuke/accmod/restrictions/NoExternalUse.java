// SPDX-License-Identifier: MIT
package org.kohsuke.accmod.restrictions;

public class NoExternalUse extends DoNotUse {
    NoExternalUse() {
        throw new UnsupportedOperationException();
    }
}
