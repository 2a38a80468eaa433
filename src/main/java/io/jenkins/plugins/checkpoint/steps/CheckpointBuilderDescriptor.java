// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.model.AbstractProject;
import hudson.tasks.BuildStepDescriptor;
import hudson.tasks.Builder;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import java.util.List;
import jenkins.model.Jenkins;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.verb.POST;

/** What the descriptors of the freestyle build steps have in common. The checks look only at what was typed, so they need no permission. */
public abstract class CheckpointBuilderDescriptor extends BuildStepDescriptor<Builder> {
    /** Only the classes of this package are. */
    CheckpointBuilderDescriptor() {}

    @Override
    @SuppressWarnings("rawtypes")
    public boolean isApplicable(Class<? extends AbstractProject> type) {
        return true;
    }

    /** The pipeline step that does the same: its help is this one's. */
    abstract Class<? extends Step> step();

    @Override
    public String getHelpFile(String field) {
        return Jenkins.get().getDescriptorOrDie(step()).getHelpFile(field);
    }

    @Override
    public String getHelpFile() {
        return Jenkins.get().getDescriptorOrDie(step()).getHelpFile();
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
