// SPDX-License-Identifier: MIT
package hudson.security;

import hudson.model.User;
import io.jenkins.plugins.checkpoint.signatures.Signatures;
import org.springframework.security.core.Authentication;

public abstract class ACL {
    public static final Authentication SYSTEM2 = Signatures.none();

    public final void checkPermission(Permission permission) {
        throw new UnsupportedOperationException();
    }

    public final boolean hasPermission(Permission permission) {
        throw new UnsupportedOperationException();
    }

    public static ACLContext as2(Authentication authentication) {
        throw new UnsupportedOperationException();
    }

    public static ACLContext as(User user) {
        throw new UnsupportedOperationException();
    }

    ACL() {
        throw new UnsupportedOperationException();
    }

    public boolean hasPermission2(Authentication authentication, Permission permission) {
        throw new UnsupportedOperationException();
    }
}
