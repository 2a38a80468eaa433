// SPDX-License-Identifier: MIT
package hudson;

import hudson.model.Node;

public abstract class LauncherDecorator implements ExtensionPoint {
    public LauncherDecorator() {
        throw new UnsupportedOperationException();
    }

    public abstract Launcher decorate(Launcher launcher, Node node);
}
