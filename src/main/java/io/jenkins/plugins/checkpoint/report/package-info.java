// SPDX-License-Identifier: MIT
/** Checkpoints as HTML: whole pages that stand alone, and the sections that they are made of. Nothing here knows Jenkins. */
package io.jenkins.plugins.checkpoint.report;
