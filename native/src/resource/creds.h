/* SPDX-License-Identifier: MIT
 *
 * Credentials of a thread (credentials(7), capabilities(7)).
 */
#ifndef PCR_RESOURCE_CREDS_H
#define PCR_RESOURCE_CREDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "images/creds.pb-c.h"
#include "restorer/restorer.h"

struct thread;

/* --- dump --- */

/* status: text of /proc/PID/task/TID/status. Returns NULL with the error set when a field is missing. */
CredsEntry *creds_dump(const struct thread *thread, const char *status);

/* The dump goes into the namespaces of this process (tree/dump_pidns.h), which may have no numbers for its groups: they are read now. */
void creds_dump_from_outside(pid_t pid);

/* --- restore --- */

/* May we enter namespaces without entering the user namespace that owns them? */
bool creds_may_enter(void);

/* Capabilities that pcr has for its own work only: no restored task gets them, whatever its image says. */
void creds_lend(uint64_t capabilities);

/* pcr has entered a user namespace of its own: its capabilities are others now, its ids and groups are the same, even where the namespace
 * has no numbers for them. */
void creds_in_namespace(void);

/* Can this pcr give a thread these credentials? entry may be NULL: it keeps pcr's. Returns 0 or -1 with the error set. */
int creds_check(pid_t pid, pid_t tid, const CredsEntry *entry);

/* May we, as whoever we are here, give them? outside: not in a user namespace of our own. Returns 0 or -1 with the error set: what would allow it. */
int creds_foresee(pid_t pid, pid_t tid, const CredsEntry *entry, bool outside);

/* What the restorer's blob has to change, compared with our own. groups: room for entry->n_groups numbers at an address of the
 * restorer's region. */
void creds_fill(struct restorer_creds *creds, const CredsEntry *entry, uint32_t *groups);

#endif
