/* SPDX-License-Identifier: MIT
 *
 * Scheduling of a thread: policy, priority, nice value (sched(7)).
 */
#ifndef PCR_RESOURCE_SCHED_H
#define PCR_RESOURCE_SCHED_H

#include <sys/types.h>

#include "images/core.pb-c.h"
#include "restorer/restorer.h"

/* --- restore --- */

/* Returns 0 or -1 with the error set. */
int sched_check(pid_t pid, pid_t tid, const ThreadCoreEntry *entry);
void sched_fill(struct restorer_thread *thread, const ThreadCoreEntry *entry);

#endif
