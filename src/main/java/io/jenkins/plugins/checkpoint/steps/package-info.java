// SPDX-License-Identifier: MIT
/** What a job is made of: pipeline steps, freestyle build steps, and their configuration. No dump, restore or archive logic here: that runs on the agent, in {@code agent}. */
package io.jenkins.plugins.checkpoint.steps;
