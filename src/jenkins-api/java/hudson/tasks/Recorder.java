// SPDX-License-Identifier: MIT
package hudson.tasks;

import hudson.ExtensionPoint;

public abstract class Recorder extends Publisher implements ExtensionPoint {
    Recorder() {
        throw new UnsupportedOperationException();
    }
}
