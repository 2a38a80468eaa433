// SPDX-License-Identifier: MIT
package hudson.model;

public interface BuildListener extends TaskListener {
}
