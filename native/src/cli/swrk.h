/* SPDX-License-Identifier: MIT
 *
 * The RPC front end: criu_req in, criu_resp out, on a SOCK_SEQPACKET socket that the caller gave us (criu swrk FD).
 */
#ifndef PCR_CLI_SWRK_H
#define PCR_CLI_SWRK_H

#include <sys/types.h>

/* Answers requests on socket: one, or with keep_open until the peer closes. peer: process in which descriptor numbers of a request
 * are looked up, 0 for the socket's peer (SO_PEERCRED, unix(7)). Returns 0; -1 with the error set when the socket fails. A request
 * that fails is answered and is no error here. */
int swrk_run(int socket, pid_t peer);

#endif
