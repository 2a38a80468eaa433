// SPDX-License-Identifier: MIT
/** The command line: one class for each verb. Nothing here knows Jenkins. */
package io.jenkins.plugins.checkpoint.cli;
