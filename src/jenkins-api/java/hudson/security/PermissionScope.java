// SPDX-License-Identifier: MIT
package hudson.security;

import hudson.model.ModelObject;
import io.jenkins.plugins.checkpoint.signatures.Signatures;

public final class PermissionScope {
    public static final PermissionScope JENKINS = Signatures.none();
    public static final PermissionScope ITEM = Signatures.none();
    public static final PermissionScope RUN = Signatures.none();
    public static final PermissionScope COMPUTER = Signatures.none();

    public PermissionScope(Class<? extends ModelObject> type, PermissionScope[] permissionScopes) {
        throw new UnsupportedOperationException();
    }
}
