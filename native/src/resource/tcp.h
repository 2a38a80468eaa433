/* SPDX-License-Identifier: MIT
 *
 * TCP connections through TCP_REPAIR (tcp.c reads them, tcp_restore.c makes them again): tcp-stream-N.img, N the inode of the socket.
 *
 * In repair mode the kernel shows sequence numbers and queues, and a socket that is closed says nothing to its peer; but its owner can
 * neither send nor receive. So the mode is switched on at the very end of a dump, and a process of its own (tcp_guard.h) switches it off
 * again should pcr be killed.
 */
#ifndef PCR_RESOURCE_TCP_H
#define PCR_RESOURCE_TCP_H

#include <stdbool.h>

#include "resource/fd_kind.h"

struct dump;
struct restore;

/* Whether the entry is a TCP socket with a connection, or the rest of one. */
bool tcp_is_connected(const InetSkEntry *entry);

/* --- dump --- */

/* Notes a connection to be written by tcp_dump_streams. what: for messages. Returns 0; -1 with the error set: not allowed by the options,
 * on its way into a connection. */
int tcp_dump(struct dump *dump, const struct fd_info *info, InetSkEntry *entry, const char *what);

/* Connections that wait in the backlog of a listener cannot be kept. Returns -1 with the error set. */
int tcp_refuse_backlog(struct dump *dump, const char *what, unsigned int count);

/* Writes all connections. The last step before the dump is whole. They stay in repair mode until tcp_dump_release. Returns 0 or -1 with
 * the error set. */
int tcp_dump_streams(struct dump *dump);

/* The tree has been killed: its connections end without a word. Or it runs on: they are as before. Whatever happened, no state is kept. */
void tcp_dump_release(bool killed);

/* --- restore --- */

/* Reads the connection's image. Returns 0 or -1 with the error set. */
int tcp_collect(struct restore *restore, const InetSkEntry *entry);

/* Whether the other end of the connection, read by tcp_collect, is in the images as well. */
bool tcp_other_end_is_here(const InetSkEntry *entry);

/* Makes the connection with a new socket, in repair mode or, without the right to it, by connecting with its other end (tcp_within.h). Returns 0 or -1 with the error set. */
int tcp_open(struct restore *restore, const InetSkEntry *entry, int fd);

/* Takes it out of repair mode and shuts down what was, when all connections of the tree are made. Returns 0 or -1 with the error set. */
int tcp_finish(struct restore *restore, const InetSkEntry *entry, int fd);

/* Lets packets through again that were held up since the dump: within the tree, before tcp_finish; from outside, when the tree is whole. */
void tcp_unlock(struct restore *restore, bool outside);

#endif
