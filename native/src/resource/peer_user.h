/* SPDX-License-Identifier: MIT
 *
 * Whose a Unix socket's peer is (unix(7), SO_PEERCRED): the user that made the pair, connected or listens, at that moment. At restore these
 * calls are made as that user, where that is another one than the restoring task's and may be taken on. The pid is the restoring task's.
 */
#ifndef PCR_RESOURCE_PEER_USER_H
#define PCR_RESOURCE_PEER_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "images/sk-unix.pb-c.h"

struct peer_user {
	bool changed;
	uid_t uid;
	gid_t gid;
};

/* Fills in the entry's pcr_peer_user from the socket fd; nothing when it has no peer. */
void peer_user_dump(int fd, UnixSkEntry *entry);

/* Makes this task, which has one thread, that user, NULL or an entry without one: nobody else; *was gets who it was. Where it may not, nothing
 * changes. */
void peer_user_enter(const UnixSkEntry *entry, struct peer_user *was);

/* Back again. errno stays. */
void peer_user_leave(const struct peer_user *was);

#endif
