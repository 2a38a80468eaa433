// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.agent;

import java.io.Serializable;
import java.util.Map;

/**
 * A script to run so that it can be checkpointed.
 *
 * @param directory the run's own directory, absolute
 * @param workspace where it runs, absolute
 * @param script shell commands, or a whole script with {@code #!}
 * @param environment the whole environment
 * @param keepOutput true to keep standard output apart from the log
 * @param holdFailure true to let a script that failed wait, so that what it leaves behind can be dumped
 */
public record RunRequest(String directory, String workspace, String script, Map<String, String> environment, boolean keepOutput, boolean holdFailure)
        implements Serializable {}
