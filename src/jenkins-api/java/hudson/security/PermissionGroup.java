// SPDX-License-Identifier: MIT
package hudson.security;

import java.util.Iterator;
import org.jvnet.localizer.Localizable;

public final class PermissionGroup implements Iterable<Permission>, Comparable<PermissionGroup> {
    public PermissionGroup(Class type, Localizable localizable) throws IllegalStateException {
        throw new UnsupportedOperationException();
    }

    public PermissionGroup(String text, Class type, Localizable localizable) throws IllegalStateException {
        throw new UnsupportedOperationException();
    }

    public Iterator<Permission> iterator() {
        throw new UnsupportedOperationException();
    }

    public int compareTo(PermissionGroup permissionGroup) {
        throw new UnsupportedOperationException();
    }

    public static PermissionGroup get(Class type) {
        throw new UnsupportedOperationException();
    }
}
