/* SPDX-License-Identifier: MIT
 *
 * IPv4 and IPv6 sockets: TCP, UDP, UDP-Lite, raw, ICMP (ip(7), ipv6(7)). Established TCP connections: resource/tcp.c.
 */
#ifndef PCR_RESOURCE_INETSK_H
#define PCR_RESOURCE_INETSK_H

#include <stdbool.h>
#include <sys/socket.h>

#include "resource/fd_kind.h"

/* inet_sk_entry.state: include/net/tcp_states.h. */
enum inetsk_state {
	INETSK_ESTABLISHED = 1, INETSK_SYN_SENT, INETSK_SYN_RECV, INETSK_FIN_WAIT1, INETSK_FIN_WAIT2, INETSK_TIME_WAIT, INETSK_CLOSE,
	INETSK_CLOSE_WAIT, INETSK_LAST_ACK, INETSK_LISTEN, INETSK_CLOSING
};

extern const struct fd_kind inetsk_kind;

/* The address of one side of the entry. Returns its length. */
socklen_t inetsk_address(const InetSkEntry *entry, bool peer, struct sockaddr_storage *address);

/* "127.0.0.1:80", for messages; in one of four static buffers used in turn. */
const char *inetsk_show(const InetSkEntry *entry, bool peer);

#endif
