// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;

/**
 * What {@code pcr check} said.
 *
 * @param good whether this machine can checkpoint and restore
 * @param text what it said
 */
public record MachineCheck(boolean good, String text) implements Serializable {
    /**
     * What fits into a table.
     *
     * @return one line
     */
    public String summary() {
        if (good) {
            return "OK";
        }
        String[] lines = text.split("\n");
        String last = lines[lines.length - 1].strip();
        return last.isEmpty() ? "no" : last;
    }
}
