// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;

/**
 * How far a dump is.
 *
 * @param imageBytes written by the engine
 * @param archiveBytes packed
 */
public record DumpProgress(long imageBytes, long archiveBytes) implements Serializable {}
