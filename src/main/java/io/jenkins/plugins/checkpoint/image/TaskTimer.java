// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.image;

/**
 * A timer of a process: setitimer(2) or timer_create(2).
 *
 * @param clock such as {@code real}, {@code CLOCK_MONOTONIC}
 * @param id of timer_create's; -1 for setitimer's
 * @param remaining microseconds until it fires; 0 if it is not armed
 * @param interval microseconds between firings; 0 if it fires once
 */
public record TaskTimer(String clock, int id, long remaining, long interval) {}
