/* SPDX-License-Identifier: MIT
 *
 * restore --lazy-pages: hands the memory that is not there yet to the lazy-pages daemon (lazy/wire.h).
 */
#ifndef PCR_LAZY_HANDOVER_H
#define PCR_LAZY_HANDOVER_H

#include <stdbool.h>

#include "cli/request.h"

struct restore;
struct restore_task;

/* Whether the kernel lets this process have a userfaultfd that tells of forks and waits in system calls, too; errno if not. */
bool lazy_possible(void);

/* Whether memory is restored so: asked for and possible; if it is only asked for, why not is logged as a warning. */
bool lazy_wanted(const struct request *request);

/* Connects to the daemon in the work directory and gives each task a descriptor number for its userfaultfd. Returns 0 or -1 with the error set. */
int lazy_connect(struct restore *restore);

/* In the coordinator, at the end: closes what lazy_connect opened. */
void lazy_disconnect(struct restore *restore);

/* In the task: makes its userfaultfd and sends it. Returns 0 or -1 with the error set. */
int lazy_hand_over(struct restore *restore, struct restore_task *task);

/* Tells the daemon that all tasks are complete. Returns 0, or -1 with the error set: it is gone. */
int lazy_finish(struct restore *restore);

#endif
