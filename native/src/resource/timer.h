/* SPDX-License-Identifier: MIT
 *
 * Timers of a process: setitimer(2), timer_create(2).
 */
#ifndef PCR_RESOURCE_TIMER_H
#define PCR_RESOURCE_TIMER_H

#include "images/timer.pb-c.h"

struct task;

/* --- dump --- */

/* Refuses what cannot be dumped yet: POSIX timers, by number. Before parasite_ask. Returns 0 or -1 with the error set. */
int timer_check(const struct task *task);

/* The interval timers that the parasite found. */
TaskTimersEntry *timer_dump(const struct task *task);

#endif
