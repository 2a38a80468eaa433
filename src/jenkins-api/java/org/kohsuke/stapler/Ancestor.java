// SPDX-License-Identifier: MIT
package org.kohsuke.stapler;

public interface Ancestor {
}
