// SPDX-License-Identifier: MIT
/**
 * The protocol: CRIU RPC over a SOCK_SEQPACKET Unix socket. {@link io.jenkins.plugins.checkpoint.rpc.CriuService} serves it,
 * {@link io.jenkins.plugins.checkpoint.rpc.CriuClient} asks in it, {@link io.jenkins.plugins.checkpoint.rpc.Engine} is whatever
 * the service relays to. Nothing here knows Jenkins.
 */
package io.jenkins.plugins.checkpoint.rpc;
