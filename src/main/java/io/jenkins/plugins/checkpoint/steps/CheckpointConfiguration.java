// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.ExtensionList;
import hudson.model.Descriptor.FormException;
import hudson.util.FormValidation;
import hudson.util.ListBoxModel;
import jenkins.model.GlobalConfiguration;
import jenkins.model.Jenkins;
import net.sf.json.JSONObject;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.verb.POST;

/** What an administrator sets for all jobs. In Configuration as Code: {@code unclassified: processCheckpoint:}. */
@Extension
@Symbol("processCheckpoint")
public final class CheckpointConfiguration extends GlobalConfiguration {
    private String engine = "auto";
    private int compression = 3;
    private int maxConcurrentDumps = 2;
    private int maxCheckpointMegabytes;
    private int maxCheckpointsPerBuild = 100;
    private int maxDumpSeconds = 600;
    private int keep;

    /** Reads what was saved. */
    @DataBoundConstructor
    public CheckpointConfiguration() {
        load();
    }

    /**
     * The configuration in force.
     *
     * @return the only instance
     */
    public static CheckpointConfiguration get() {
        return ExtensionList.lookupSingleton(CheckpointConfiguration.class);
    }

    @Override
    public String getDisplayName() {
        return Messages.Configuration_DisplayName();
    }

    @Override
    public boolean configure(StaplerRequest2 request, JSONObject json) throws FormException {
        request.bindJSON(this, json);
        save();
        return true;
    }

    /** The engine for steps that name none: {@code auto}, {@code embedded} or {@code criu}. */
    public String getEngine() {
        return engine;
    }

    /** Sets {@link #getEngine}. */
    @DataBoundSetter
    public void setEngine(String engine) {
        this.engine = "criu".equals(engine) || "embedded".equals(engine) ? engine : "auto";
    }

    /** How hard archives are compressed, as zstd(1) counts: 1 is fast, 19 is small. */
    public int getCompression() {
        return compression;
    }

    /** Sets {@link #getCompression}. */
    @DataBoundSetter
    public void setCompression(int compression) {
        this.compression = Math.max(1, Math.min(19, compression));
    }

    /** How many dumps an agent makes at a time. */
    public int getMaxConcurrentDumps() {
        return maxConcurrentDumps;
    }

    /** Sets {@link #getMaxConcurrentDumps}. */
    @DataBoundSetter
    public void setMaxConcurrentDumps(int maxConcurrentDumps) {
        this.maxConcurrentDumps = Math.max(1, maxConcurrentDumps);
        Agents.limitsChanged();
    }

    /** The largest checkpoint, in MiB of images; 0 for no limit. */
    public int getMaxCheckpointMegabytes() {
        return maxCheckpointMegabytes;
    }

    /** Sets {@link #getMaxCheckpointMegabytes}. */
    @DataBoundSetter
    public void setMaxCheckpointMegabytes(int maxCheckpointMegabytes) {
        this.maxCheckpointMegabytes = Math.max(0, maxCheckpointMegabytes);
    }

    /** How many checkpoints a build may make; 0 for no limit. */
    public int getMaxCheckpointsPerBuild() {
        return maxCheckpointsPerBuild;
    }

    /** Sets {@link #getMaxCheckpointsPerBuild}. */
    @DataBoundSetter
    public void setMaxCheckpointsPerBuild(int maxCheckpointsPerBuild) {
        this.maxCheckpointsPerBuild = Math.max(0, maxCheckpointsPerBuild);
    }

    /** How long a dump may take, in seconds, unless the step says {@code timeout}; 0 for the engine's own limit. */
    public int getMaxDumpSeconds() {
        return maxDumpSeconds;
    }

    /** Sets {@link #getMaxDumpSeconds}. */
    @DataBoundSetter
    public void setMaxDumpSeconds(int maxDumpSeconds) {
        this.maxDumpSeconds = Math.max(0, maxDumpSeconds);
    }

    /** How many checkpoints of a name a build keeps, unless the step says {@code keep}; 0 for all. */
    public int getKeep() {
        return keep;
    }

    /** Sets {@link #getKeep}. */
    @DataBoundSetter
    public void setKeep(int keep) {
        this.keep = Math.max(0, keep);
    }

    /** The engines to choose from. */
    @POST
    public ListBoxModel doFillEngineItems() {
        return FormChecks.engines(Messages.Engine_AutoForAll());
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckCompression(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        return FormValidation.validateIntegerInRange(value, 1, 19);
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckMaxConcurrentDumps(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        return FormValidation.validatePositiveInteger(value);
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckMaxCheckpointMegabytes(@QueryParameter String value) {
        return notNegative(value);
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckMaxCheckpointsPerBuild(@QueryParameter String value) {
        return notNegative(value);
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckMaxDumpSeconds(@QueryParameter String value) {
        return notNegative(value);
    }

    /** Checks a field. */
    @POST
    public FormValidation doCheckKeep(@QueryParameter String value) {
        return notNegative(value);
    }

    private static FormValidation notNegative(String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        return FormValidation.validateNonNegativeInteger(value);
    }
}
