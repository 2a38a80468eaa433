// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.Extension;
import hudson.ExtensionList;
import jenkins.model.GlobalConfiguration;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.DataBoundSetter;

/** What an administrator sets for all jobs. */
@Extension
@Symbol("processCheckpoint")
public final class CheckpointConfiguration extends GlobalConfiguration {
    private int compression = 3;

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

    /** How hard archives are compressed, as zstd(1) counts: 1 is fast, 19 is small. */
    public int getCompression() {
        return compression;
    }

    /** Sets {@link #getCompression()}. */
    @DataBoundSetter
    public void setCompression(int compression) {
        this.compression = Math.max(1, Math.min(19, compression));
        save();
    }
}
