// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.model.Cause;
import hudson.model.Run;
import org.kohsuke.stapler.export.Exported;

/** Why a build that restores a checkpoint runs. */
public final class RestoreCause extends Cause {
    private final String name;
    private final int number;
    private final String build;
    private final String url;

    /**
     * Makes one.
     *
     * @param run the build that has the checkpoint
     * @param entry the checkpoint
     */
    public RestoreCause(Run<?, ?> run, CheckpointEntry entry) {
        name = entry.getName();
        number = entry.getNumber();
        build = run.getFullDisplayName();
        url = run.getUrl();
    }

    @Override
    public String getShortDescription() {
        return Messages.RestoreCause_ShortDescription(name, String.valueOf(number), build);
    }

    /** Name and number of the checkpoint. */
    public String getCheckpoint() {
        return name + " #" + number;
    }

    /** The build that has it, as people call it. */
    @Exported
    public String getBuild() {
        return build;
    }

    /** URL of that build, relative to Jenkins. */
    @Exported
    public String getUrl() {
        return url;
    }
}
