// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

/**
 * A thread of a process.
 *
 * @param id its tid
 * @param name comm
 */
public record TaskThread(int id, String name) {}
