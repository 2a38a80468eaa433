// SPDX-License-Identifier: MIT
package jenkins.security;

public class Roles {
    Roles() {
        throw new UnsupportedOperationException();
    }
}
