// SPDX-License-Identifier: MIT
package org.jenkinsci.plugins.workflow.steps;

import hudson.EnvVars;
import java.io.IOException;
import java.io.Serializable;
import java.util.Map;
import java.util.Set;

public abstract class EnvironmentExpander implements Serializable {
    public EnvironmentExpander() {
        throw new UnsupportedOperationException();
    }

    public abstract void expand(EnvVars envVars) throws IOException, InterruptedException;

    public Set<String> getSensitiveVariables() {
        throw new UnsupportedOperationException();
    }

    public static EnvironmentExpander constant(Map<String, String> map) {
        throw new UnsupportedOperationException();
    }

    public static EnvironmentExpander merge(EnvironmentExpander environmentExpander1, EnvironmentExpander environmentExpander2) {
        throw new UnsupportedOperationException();
    }
}
