// SPDX-License-Identifier: MIT
package org.kohsuke.accmod;

public abstract class AccessRestriction {
    public AccessRestriction() {
        throw new UnsupportedOperationException();
    }
}
