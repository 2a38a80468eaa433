// SPDX-License-Identifier: MIT
/**
 * For test code: asks the agent's service to dump the very JVM that is asking, and tells after a restore that it has been restored. Goes
 * into a jar of its own, process-checkpoint-junit.jar, with the socket library and nothing else; JUnit 5 is needed only for
 * {@link io.jenkins.plugins.checkpoint.junit.CheckpointAfter}. Nothing here knows Jenkins.
 */
package io.jenkins.plugins.checkpoint.junit;
