// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.EnvVars;
import hudson.FilePath;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.jenkinsci.plugins.workflow.steps.StepDescriptor;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/** What the descriptors of the pipeline steps have in common. The checks look only at what was typed, so they need no permission. */
public abstract class CheckpointStepDescriptor extends StepDescriptor {
    /** Only the classes of this package are. */
    CheckpointStepDescriptor() {}

    @Override
    public Set<? extends Class<?>> getRequiredContext() {
        return Set.of(Run.class, FilePath.class, EnvVars.class, TaskListener.class);
    }

    // Pipelines may write one word for a list of one, and a build's number as a number.
    @Override
    public Step newInstance(Map<String, Object> arguments) throws Exception {
        Map<String, Object> all = new TreeMap<>(arguments);
        all.computeIfPresent("selector", (key, value) -> value.toString());
        for (String list : List.of("on", "external", "skipMnt", "enableFs", "irmapScanPaths", "cgroupDumpController")) {
            all.computeIfPresent(list, (key, value) -> value instanceof CharSequence ? List.of(value.toString()) : value);
        }
        return super.newInstance(all);
    }

    /** For the form. */
    public String join(List<String> items) {
        return items == null ? "" : String.join(", ", items);
    }

    /** The engines to choose from. */
    @POST
    public ListBoxModel doFillEngineItems() {
        return FormChecks.engines();
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckName(@QueryParameter String value) {
        return FormChecks.of(() -> RunOptions.requireName(value));
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckEvery(@QueryParameter String value) {
        return FormChecks.of(() -> Durations.parse(value));
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckScript(@QueryParameter String value) {
        return FormValidation.validateRequired(value);
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckKeep(@QueryParameter String value) {
        return FormValidation.validateNonNegativeInteger(value);
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckCompression(@QueryParameter String value) {
        return FormValidation.validateIntegerInRange(value, 0, 19);
    }
}
