/* SPDX-License-Identifier: MIT
 *
 * Datagrams that a UDP socket has received and nobody has read. They are looked at (MSG_PEEK) in a dump and sent once more at restore, each
 * from the address that it came from: by a raw socket where CAP_NET_RAW allows it, else from a socket bound to that address, which has to
 * be one of this machine's, then. What cannot be sent so is named by a warning, as a network may lose datagrams, too.
 */
#ifndef PCR_RESOURCE_UDP_QUEUE_H
#define PCR_RESOURCE_UDP_QUEUE_H

#include <stdbool.h>

#include "images/sk-inet.pb-c.h"

struct dump;
struct fd_info;
struct restore;

/* Copies the queue into sk-queues.img. what: for messages. Returns 0; -1 with the error set. */
int udp_queue_dump(struct dump *dump, const struct fd_info *info, const InetSkEntry *entry, const char *what);

/* Remembers the queue of the socket, if the images have one. Returns 0; -1 with the error set. */
int udp_queue_collect(struct restore *restore, const InetSkEntry *entry);

/* Whether it has one. */
bool udp_queue_has(const InetSkEntry *entry);

/* Whether queues will be filled from sockets with the senders' names, which UDP sockets of the tree have to share, then, with SO_REUSEADDR. */
bool udp_queue_by_name(void);

/* Puts it into the socket again, fd, when all of the tree's are bound. Returns 0; -1 with the error set. */
int udp_queue_fill(const InetSkEntry *entry, int fd);

#endif
