// SPDX-License-Identifier: MIT
package hudson.tasks;

import hudson.ExtensionPoint;
import hudson.model.Describable;
import hudson.model.Descriptor;

public abstract class Builder extends BuildStepCompatibilityLayer implements Describable<Builder>, ExtensionPoint {
    public Builder() {
        throw new UnsupportedOperationException();
    }

    public Descriptor<Builder> getDescriptor() {
        throw new UnsupportedOperationException();
    }
}
