/* SPDX-License-Identifier: MIT
 *
 * Multicast groups that internet sockets have joined. The kernel lists groups by device only (/proc/net/igmp, /proc/net/igmp6); a socket can
 * be asked for its source filter in one of them, which only a member has (RFC 3678: MCAST_MSFILTER).
 */
#ifndef PCR_RESOURCE_MULTICAST_H
#define PCR_RESOURCE_MULTICAST_H

#include "images/sk-inet.pb-c.h"

/* Fills in the memberships of a socket, fd. what: for messages. Returns 0; -1 with the error set. */
int multicast_dump(int fd, InetSkEntry *entry, const char *what);

/* Drops what multicast_dump remembers of the machine: one dump has ended. */
void multicast_forget(void);

/* Checks what the image says. Returns 0; -1 with the error set. */
int multicast_check(const InetSkEntry *entry);

/* Joins the groups with fd. A device that is not there (any more) costs a warning. Returns 0; -1 with the error set. */
int multicast_restore(const InetSkEntry *entry, int fd);

#endif
