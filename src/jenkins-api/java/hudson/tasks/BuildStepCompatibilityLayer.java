// SPDX-License-Identifier: MIT
package hudson.tasks;

import java.io.IOException;
import hudson.model.BuildListener;
import hudson.model.AbstractBuild;
import hudson.Launcher;
public abstract class BuildStepCompatibilityLayer implements BuildStep {
    BuildStepCompatibilityLayer() {
        throw new UnsupportedOperationException();
    }

    public boolean perform(AbstractBuild<?, ?> build, Launcher launcher, BuildListener listener) throws InterruptedException, IOException {
        throw new UnsupportedOperationException();
    }
}
