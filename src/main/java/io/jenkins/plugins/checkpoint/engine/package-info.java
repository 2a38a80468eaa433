// SPDX-License-Identifier: MIT
/**
 * What does the work: {@code pcr}, embedded in the jar, or the machine's own {@code criu}. Both run as {@code swrk} with one end of a
 * socket pair as standard input and are asked in CRIU RPC. Nothing here knows Jenkins.
 */
package io.jenkins.plugins.checkpoint.engine;
