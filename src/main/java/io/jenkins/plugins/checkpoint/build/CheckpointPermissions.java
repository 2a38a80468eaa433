// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.build;

import hudson.model.Run;
import hudson.security.Permission;
import hudson.security.PermissionGroup;
import hudson.security.PermissionScope;
import jenkins.model.Jenkins;

/**
 * Rights of their own for checkpoints, which are the memory of processes, where secrets live. Neither follows from reading a job or its
 * builds; administrators have both.
 */
public final class CheckpointPermissions {
    /** The group that configuration pages show. */
    public static final PermissionGroup GROUP = new PermissionGroup(CheckpointPermissions.class, Messages._Permissions_Title());

    /** To download an archive, and with it all memory. */
    public static final Permission DOWNLOAD = new Permission(GROUP, "Download", Messages._Permissions_Download(), Jenkins.ADMINISTER, true,
            new PermissionScope[] {PermissionScope.RUN, PermissionScope.ITEM});

    /** To restore a checkpoint of a job in another build, and have its processes go on there. */
    public static final Permission RESTORE = new Permission(GROUP, "Restore", Messages._Permissions_Restore(), Jenkins.ADMINISTER, true,
            new PermissionScope[] {PermissionScope.RUN, PermissionScope.ITEM});

    private CheckpointPermissions() {}

    /** Whether the current user may download checkpoints of a build. */
    static boolean mayDownload(Run<?, ?> run) {
        return run.getACL().hasPermission(DOWNLOAD);
    }
}
