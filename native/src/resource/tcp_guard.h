/* SPDX-License-Identifier: MIT
 *
 * TCP sockets that a dump holds in repair mode, and the process that gives them back should pcr be killed meanwhile.
 */
#ifndef PCR_RESOURCE_TCP_GUARD_H
#define PCR_RESOURCE_TCP_GUARD_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

struct tree;

struct tcp_guarded {
	int fd; /* of pcr's own */
	int reuse; /* SO_REUSEADDR, which leaving repair mode forgets */
	struct sock_filter *filter; /* its own socket filter, filter_count instructions */
	size_t filter_count;
};

/* Starts the process. From then on, until tcp_guard_end, the sockets may be changed. The frozen processes that can be stopped without
 * their noticing get a SIGSTOP, which keeps them from running, should pcr be killed, before their sockets are given back. Returns 0 or -1
 * with the error set. */
int tcp_guard_start(const struct tcp_guarded *sockets, size_t count, const struct tree *tree);

/* Has the process call set, whose effect outlives pcr, and undo should pcr be killed then or later. Functions of this program; they see
 * its memory as it was when the process was started. set returns 0 or -1 with the error set, and so does this. */
int tcp_guard_set(int (*set)(void), void (*undo)(void));

/* Makes the socket deaf to packets; then puts it into repair mode. Returns 0 or -1 with errno. */
int tcp_guard_deafen(const struct tcp_guarded *socket);
int tcp_guard_repair(const struct tcp_guarded *socket);

/* Gives the socket back as it was. */
void tcp_guard_undo(const struct tcp_guarded *socket);

/* Ends the process, which leaves the sockets alone. The SIGSTOPs are taken back unless their receivers have been killed. */
void tcp_guard_end(bool killed);

#endif
