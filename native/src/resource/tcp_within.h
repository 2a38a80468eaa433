/* SPDX-License-Identifier: MIT
 *
 * TCP connections whose both ends are in the tree, without TCP_REPAIR and so without CAP_NET_ADMIN: what waits in their receive queues
 * can be peeked at, and two sockets that are both ours can simply be connected again. The images are the same as those of tcp.c.
 */
#ifndef PCR_RESOURCE_TCP_WITHIN_H
#define PCR_RESOURCE_TCP_WITHIN_H

#include <stdbool.h>
#include <stdint.h>

#include "images/sk-inet.pb-c.h"
#include "images/tcp-stream.pb-c.h"

struct dump;

/* Whether this process may use TCP_REPAIR in its network namespace (tcp(7): CAP_NET_ADMIN, in the user namespace that owns it). Asks the kernel
 * once, as a capability in another user namespace does not count. */
bool tcp_repair_allowed(void);

/* --- dump --- */

/* One end of a connection. fd: of pcr's own, to the same open socket. number: any, different for each end of the dump. */
struct tcp_end {
	const InetSkEntry *entry;
	const char *what; /* for messages */
	int fd;
	uint32_t number;
};

/* Waits for packets under way (the tree is frozen, so that they end) and writes the stream's image. other: its other end; NULL for a closed
 * socket. Returns 0 or -1 with the error set: states on the way, or data behind a full window, which only TCP_REPAIR could read. */
int tcp_within_dump(struct dump *dump, const struct tcp_end *end, const struct tcp_end *other);

/* Has the last close of the socket reset the connection, so that its ports are free at once. */
void tcp_within_drop(int fd);

/* --- restore --- */

/* What the image says of one end. */
struct tcp_within {
	const InetSkEntry *entry;
	const TcpStreamEntry *tcp;
	const char *in, *out; /* queues, as long as tcp says */
};

/* Connects fd, a new socket, with another one. The receive queues are filled. Sockets must not listen at the addresses yet. Returns the
 * other socket, or -1 with the error set. */
int tcp_within_connect(const struct tcp_within *near, int fd, const struct tcp_within *far);

#endif
