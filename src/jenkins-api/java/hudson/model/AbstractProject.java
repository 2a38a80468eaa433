// SPDX-License-Identifier: MIT
package hudson.model;

import java.io.IOException;
import jenkins.model.ParameterizedJobMixIn;

public abstract class AbstractProject<P extends AbstractProject<P, R>, R extends AbstractBuild<P, R>> extends Job<P, R> implements BuildableItem, ParameterizedJobMixIn.ParameterizedJob<P, R> {
    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }

    public boolean isBuildable() {
        throw new UnsupportedOperationException();
    }

    AbstractProject() {
        throw new UnsupportedOperationException();
    }
}
