// SPDX-License-Identifier: MIT
/** The demo: a real test run goes through dump, archive, death, and restore, and its own record says whether it noticed. */
package io.jenkins.plugins.checkpoint.cli.demo;
