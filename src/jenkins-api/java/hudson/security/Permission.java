// SPDX-License-Identifier: MIT
package hudson.security;

import org.jvnet.localizer.Localizable;

public final class Permission {
    public Permission(PermissionGroup permissionGroup, String text, Localizable localizable, Permission permission, boolean value, PermissionScope[] permissionScopes) throws IllegalStateException {
        throw new UnsupportedOperationException();
    }

    public Permission(PermissionGroup permissionGroup, String text, Localizable localizable, Permission permission, PermissionScope permissionScope) {
        throw new UnsupportedOperationException();
    }

    public String getId() {
        throw new UnsupportedOperationException();
    }

    public void setEnabled(boolean value) {
        throw new UnsupportedOperationException();
    }

    public boolean getEnabled() {
        throw new UnsupportedOperationException();
    }
}
