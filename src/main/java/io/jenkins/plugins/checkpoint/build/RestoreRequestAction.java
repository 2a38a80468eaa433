// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.model.Action;
import hudson.model.InvisibleAction;
import hudson.model.Queue;
import java.util.List;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * On a build that was asked for to restore a checkpoint: the step that runs under the checkpoint's name begins by restoring it, instead of
 * starting its script. Whoever asked was allowed to.
 */
@ExportedBean(defaultVisibility = 999)
public final class RestoreRequestAction extends InvisibleAction implements Queue.QueueAction {
    private final String name;
    private final String project;
    private final int build;
    private final int number;

    /**
     * Asks for a restore.
     *
     * @param name of the checkpoint, and of the step that restores it
     * @param project full name of the job that has it
     * @param build number of the build that has it
     * @param number of the checkpoint
     */
    public RestoreRequestAction(String name, String project, int build, int number) {
        this.name = name;
        this.project = project;
        this.build = build;
        this.number = number;
    }

    /** Name of the checkpoint, and of the step that restores it. */
    @Exported
    public String getName() {
        return name;
    }

    /** Full name of the job that has it. */
    @Exported
    public String getProject() {
        return project;
    }

    /** Number of the build that has it. */
    @Exported
    public int getBuild() {
        return build;
    }

    /** Number of the checkpoint. */
    @Exported
    public int getNumber() {
        return number;
    }

    // Two builds that restore different checkpoints are not one and the same in the queue; nor is one that restores none.
    @Override
    public boolean shouldSchedule(List<Action> actions) {
        return actions.stream().noneMatch(action -> action instanceof RestoreRequestAction other && other.name.equals(name) && other.project.equals(project)
                && other.build == build && other.number == number);
    }
}
