/* SPDX-License-Identifier: MIT
 *
 * Timers of a process: setitimer(2), timer_create(2).
 */
#ifndef PCR_RESOURCE_TIMER_H
#define PCR_RESOURCE_TIMER_H

#include <sys/types.h>

#include "images/timer.pb-c.h"
#include "images/core.pb-c.h"
#include "restorer/restorer.h"

struct task;

/* --- dump --- */

/* Lists the POSIX timers (proc_pid_timers(5)) in task->posix_timers, ascending ids, for parasite_ask. Returns 0 or -1 with the error set. */
int timer_list(struct task *task);

/* The timers as the parasite found them. NULL with the error set. */
TaskTimersEntry *timer_dump(const struct task *task);

/* --- restore --- */

/* Returns 0 or -1 with the error set. */
int timers_check(pid_t pid, const TaskCoreEntry *tc);
/* timers: room for all POSIX timers of the process at an address of the restorer's region. */
void timers_fill(struct restorer_args *args, const TaskCoreEntry *tc, struct restorer_posix_timer *timers);

#endif
