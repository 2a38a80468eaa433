// SPDX-License-Identifier: MIT
package org.jenkinsci.remoting;

public final class Role {
    Role() {
        throw new UnsupportedOperationException();
    }
}
