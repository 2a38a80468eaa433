/* SPDX-License-Identifier: MIT
 *
 * Data that waits in the receive queue of a socket: sk-queues.img. An entry is a message, or for stream sockets what was sent by one
 * writer; its bytes follow it.
 */
#ifndef PCR_RESOURCE_SK_QUEUE_H
#define PCR_RESOURCE_SK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "images/sk-packet.pb-c.h"

struct dump;
struct restore;

/* --- dump --- */

/* Copies the queue of a socket without taking anything out of it (MSG_PEEK). fd: a descriptor of it in this process. type: SOCK_STREAM
 * and so on. id: of its entry in files.img. what: for messages, "pid 7: descriptor 3 (socket:[123])". Descriptors in flight are dumped
 * as files of the tree. Returns 0; -1 with the error set. */
int sk_queue_dump(struct dump *dump, int fd, int type, uint32_t id, const char *what);

/* Closes the image and what was in flight: one dump has ended. Returns 0 or -1 with the error set. */
int sk_queue_dump_end(void);

/* --- restore --- */

struct sk_packet {
	SkPacketEntry *entry;
	char *data;
	struct sk_packet *next; /* behind this one in the queue */
	bool sent;
};

/* The queue of the socket with this id, first message first, NULL when it was empty; *failed is true when the error is set. Files in
 * flight will be opened in the task that opens the socket. */
struct sk_packet *sk_queue_collect(struct restore *restore, uint32_t id, bool *failed);

/* Sends a message with its credentials and descriptors; fd: of the socket's peer, or with `to` any that may send there. Returns 0 or -1
 * with the error set. After the files in flight have been opened and all pids of the tree exist. */
int sk_queue_send(struct restore *restore, const struct sk_packet *packet, int fd, const void *to, socklen_t to_length);

#endif
