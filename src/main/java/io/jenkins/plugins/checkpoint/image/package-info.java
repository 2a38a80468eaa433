// SPDX-License-Identifier: MIT
/**
 * Reads images directories: the process tree, memory, files, times. Images may come from anywhere, so everything is bounded and checked.
 * Nothing here knows Jenkins.
 */
package io.jenkins.plugins.checkpoint.image;
