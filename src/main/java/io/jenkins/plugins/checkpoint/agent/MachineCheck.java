// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;

/**
 * What {@code pcr check} said.
 *
 * @param good whether this machine can checkpoint and restore
 * @param text what it said
 */
public record MachineCheck(boolean good, String text) implements Serializable {}
