/* SPDX-License-Identifier: MIT
 *
 * A process whose first thread has ended while others run. The images get a first thread all the same, which ends by itself as soon as
 * it runs: that needs nothing special of a restore, and a real CRIU's does as well.
 */
#ifndef PCR_TREE_EXITED_LEADER_H
#define PCR_TREE_EXITED_LEADER_H

#include "images/core.pb-c.h"

struct task;

/* The thread's core: it stands in front of exit(2) with the code that it ended with, without anything that exit(2) would look at. task_core:
 * the process' part, which it takes. Returns NULL with the error set. */
CoreEntry *exited_leader_core(const struct task *task, TaskCoreEntry *task_core);

#endif
