// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import hudson.AbortException;
import hudson.model.Cause;
import hudson.model.CauseAction;
import hudson.model.Item;
import hudson.model.Run;
import hudson.model.User;
import hudson.security.ACL;
import hudson.security.Permission;
import io.jenkins.plugins.checkpoint.build.CheckpointPermissions;
import jenkins.model.Jenkins;
import org.springframework.security.core.Authentication;

/** Who may restore a checkpoint of another job: it is the memory of processes, and secrets live there. */
final class CheckpointRights {
    private CheckpointRights() {}

    /**
     * Throws unless a build may restore another job's checkpoints. Builds usually run with all rights; then the rights of the user who
     * started the build count.
     *
     * @param current the build that restores, with whose rights this is called
     * @param source the build that has the checkpoint
     */
    static void requireRestore(Run<?, ?> current, Run<?, ?> source) throws AbortException {
        Authentication who = Jenkins.getAuthentication2();
        if (who.equals(ACL.SYSTEM2)) {
            User starter = starter(current);
            if (starter == null) {
                return; // By a timer or a change: whoever configured the job decided.
            }
            who = starter.impersonate2();
        }
        for (Permission permission : new Permission[] {Item.READ, CheckpointPermissions.RESTORE}) {
            if (!source.getParent().getACL().hasPermission2(who, permission)) {
                throw new AbortException(Messages.Rights_Missing(who.getName(), permission.getId(), source.getParent().getFullName()));
            }
        }
    }

    private static User starter(Run<?, ?> build) {
        CauseAction action = build.getAction(CauseAction.class);
        if (action != null) {
            for (Cause cause : action.getCauses()) {
                if (cause instanceof Cause.UserIdCause byUser && byUser.getUserId() != null) {
                    return User.getById(byUser.getUserId(), false);
                }
            }
        }
        return null;
    }
}
