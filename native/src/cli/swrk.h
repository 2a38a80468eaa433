/* SPDX-License-Identifier: MIT
 *
 * The RPC front end: criu_req in, criu_resp out, on a SOCK_SEQPACKET socket that the caller gave us (criu swrk FD).
 */
#ifndef PCR_CLI_SWRK_H
#define PCR_CLI_SWRK_H

#include "cli/request.h"

/* Answers requests on socket: one, or with keep_open until the peer closes. started: what swrk's own arguments say
 * (service_peer, target); without service_peer descriptor numbers are those of the socket's peer (SO_PEERCRED, unix(7)). Returns 0; -1 with the error set when the socket fails. A request
 * that fails is answered and is no error here. */
int swrk_run(int socket, const struct request *started);

/* What a request came to, for a caller with processes of its own. */
struct swrk_done {
	pid_t killed; /* root of the tree that a dump has ended; 0: none */
	char **exec_cmd; /* what is to take this process' place now; NULL: nothing */
	int code; /* cr_errno of the answer; 0: it was done */
	/* For struct request's tell: */
	int type; /* criu_req_type */
	pid_t asked_pid; /* that the request names, else the client's */
	uint64_t took_us;
};

/* Waits for one request and answers it, as swrk_run does. Returns 1 when the client wants to ask more on this connection, 0 when not, -1
 * with the error set when the socket fails. */
int swrk_next(int socket, const struct request *arguments, struct swrk_done *done);

#endif
