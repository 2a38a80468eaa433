/* SPDX-License-Identifier: MIT
 *
 * Resource limits (getrlimit(2)).
 */
#ifndef PCR_RESOURCE_RLIMIT_H
#define PCR_RESOURCE_RLIMIT_H

#include <sys/types.h>

#include "images/core.pb-c.h"
#include "restorer/restorer.h"

struct task;

/* --- dump --- */

/* All limits in the order of their RLIMIT_ numbers. Returns NULL with the error set. */
TaskRlimitsEntry *rlimit_dump(const struct task *task);

/* --- restore --- */

/* Are all limits allowed to this pcr (none above its own hard one without CAP_SYS_RESOURCE)? Returns 0 or -1 with the error set. */
int rlimits_check(pid_t pid, const TaskCoreEntry *tc);
void rlimits_fill(struct restorer_args *args, const TaskCoreEntry *tc);

#endif
