// SPDX-License-Identifier: MIT
package hudson.model;

public interface ModelObject {
    String getDisplayName();
}
