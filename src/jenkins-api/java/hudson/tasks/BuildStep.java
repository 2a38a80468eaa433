// SPDX-License-Identifier: MIT
package hudson.tasks;

public interface BuildStep {
}
