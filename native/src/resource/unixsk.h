/* SPDX-License-Identifier: MIT
 *
 * Unix sockets (unix(7)): unixsk.c dumps them, unixsk_restore.c makes them again.
 */
#ifndef PCR_RESOURCE_UNIXSK_H
#define PCR_RESOURCE_UNIXSK_H

#include "resource/fd_kind.h"

/* unix_sk_entry.uflags: a socket outside the tree that one inside is connected to (the value that real CRIU writes). */
#define UNIXSK_EXTERNAL 1u
/* unix_sk_entry.state, as unix_diag has it: include/net/tcp_states.h. */
#define UNIXSK_ESTABLISHED 1
#define UNIXSK_CLOSE 7
#define UNIXSK_LISTEN 10

extern const struct fd_kind unixsk_kind;

/* struct fd_kind's members of these names. */
int unixsk_collect(struct restore *restore, FileEntry *entry);
int unixsk_open(struct restore *restore, FileEntry *entry);
int unixsk_finish(struct restore *restore, struct restore_task *task);
int unixsk_settle(struct restore *restore, FileEntry *entry, int fd);

#endif
