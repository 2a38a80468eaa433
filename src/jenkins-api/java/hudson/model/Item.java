// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.security.AccessControlled;
import hudson.security.Permission;
import hudson.security.PermissionGroup;
import io.jenkins.plugins.checkpoint.signatures.Signatures;
import java.io.IOException;

public interface Item extends AccessControlled {
    PermissionGroup PERMISSIONS = Signatures.none();
    Permission DELETE = Signatures.none();
    Permission CONFIGURE = Signatures.none();
    Permission READ = Signatures.none();
    Permission BUILD = Signatures.none();
    Permission WORKSPACE = Signatures.none();
    Permission CANCEL = Signatures.none();
    ItemGroup<? extends Item> getParent();
    String getName();
    String getFullName();
    String getDisplayName();
    String getFullDisplayName();

    default String getRelativeNameFrom(ItemGroup itemGroup) {
        throw new UnsupportedOperationException();
    }

    default String getRelativeNameFrom(Item item) {
        throw new UnsupportedOperationException();
    }

    String getUrl();
    void save() throws IOException;
}
