// SPDX-License-Identifier: MIT
/**
 * What the plugin does on an agent: starts runs under {@code pcr supervise}, follows them, dumps, packs, unpacks and restores them. No
 * Jenkins import: the steps call it from callables. Every dump and restore is asked for in CRIU RPC.
 */
package io.jenkins.plugins.checkpoint.agent;
