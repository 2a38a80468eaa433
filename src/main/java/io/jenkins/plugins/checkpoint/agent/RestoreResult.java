// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;
import java.util.List;

/**
 * What was restored.
 *
 * @param processes how many
 * @param imageBytes size of the images
 * @param workspaceFiles how many workspace files were put back
 * @param workspace where the processes work
 * @param millis how long it took
 * @param keepsOutput whether the run keeps standard output apart
 * @param remarks what the user should know, one line each
 */
public record RestoreResult(int processes, long imageBytes, int workspaceFiles, String workspace, long millis, boolean keepsOutput, List<String> remarks)
        implements Serializable {}
