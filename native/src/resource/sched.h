/* SPDX-License-Identifier: MIT
 *
 * Scheduling of a thread: policy, priority, nice value, affinity (sched(7)), I/O priority (ioprio_set(2)), timer slack, machine
 * check policy and access to the time stamp counter (prctl(2)), NUMA memory policy (set_mempolicy(2)).
 */
#ifndef PCR_RESOURCE_SCHED_H
#define PCR_RESOURCE_SCHED_H

#include <sys/types.h>

#include "images/core.pb-c.h"
#include "restorer/restorer.h"

struct thread;

/* --- dump --- */

/* Policy, priority or nice value, and where they are not the default the rest, into entry. Returns 0 or -1
 * with the error set. */
int sched_dump(const struct thread *thread, ThreadCoreEntry *entry);

/* --- restore --- */

/* Returns 0 or -1 with the error set. */
int sched_check(pid_t pid, pid_t tid, const ThreadCoreEntry *entry);
void sched_fill(struct restorer_thread *thread, const ThreadCoreEntry *entry);

#endif
