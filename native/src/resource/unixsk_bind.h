/* SPDX-License-Identifier: MIT
 *
 * Names of Unix sockets at restore: in the file system, abstract, and names without a file.
 */
#ifndef PCR_RESOURCE_UNIXSK_BIND_H
#define PCR_RESOURCE_UNIXSK_BIND_H

#include "images/sk-unix.pb-c.h"
#include "resource/sk_queue.h"

/* Binds a socket to entry->name; a stale socket file of that name is replaced; mode and owner come from file_perms. deleted: the name
 * is given without a file in the tree's file system, or with the file at pcr_path. Returns 0; -1 with the error set: something else has the name. */
int unixsk_bind(int fd, const UnixSkEntry *entry);

/* Connects to the socket that was bound so; as the user that `as` names, unless NULL (resource/peer_user.h). Returns 0 or -1 with the error
 * set. */
int unixsk_connect(int fd, const UnixSkEntry *to, const UnixSkEntry *as);

/* Sends a message: to the socket that was bound so, or with NULL to the peer. Returns 0 or -1 with the error set. */
int unixsk_send(struct restore *restore, const struct sk_packet *packet, int fd, const UnixSkEntry *to);

/* Makes room for `more` bytes to be queued from this socket. */
void unixsk_send_room(int fd, uint32_t more);

/* Ends the file system of names without a file. */
void unixsk_bind_end(void);

#endif
