// SPDX-License-Identifier: MIT
package jenkins.security.stapler;

public @interface StaplerAccessibleType {
}
