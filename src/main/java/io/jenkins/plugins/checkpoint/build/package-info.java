// SPDX-License-Identifier: MIT
/** What a build and a job show of checkpoints: pages, their JSON, permissions, and the way from a page to a build that restores. */
package io.jenkins.plugins.checkpoint.build;
