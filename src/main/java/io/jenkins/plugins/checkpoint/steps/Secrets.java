// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.EnvVars;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jenkinsci.plugins.workflow.steps.EnvironmentExpander;

/** Values that Jenkins masks in the console: they are kept out of what the plugin shows of processes as well. */
final class Secrets {
    private Secrets() {}

    /** Of a pipeline step: what {@code withCredentials} put into its environment. */
    static List<String> of(EnvVars environment, EnvironmentExpander expander) {
        return expander == null || environment == null ? List.of() : of(environment, expander.getSensitiveVariables());
    }

    /** Of variables. */
    static List<String> of(EnvVars environment, Collection<String> names) {
        List<String> values = new ArrayList<>();
        for (String name : names) {
            String value = environment.get(name);
            if (value != null && !value.isEmpty()) {
                values.add(value);
            }
        }
        return values;
    }
}
