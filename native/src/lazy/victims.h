/* SPDX-License-Identifier: MIT
 *
 * The restored processes, as those who must not run on without their memory: known to the lazy-pages daemon's two processes, which share
 * descriptors but not memory.
 */
#ifndef PCR_LAZY_VICTIMS_H
#define PCR_LAZY_VICTIMS_H

#include <stdbool.h>
#include <sys/types.h>

/* Before the two part. Returns 0 or -1 with the error set. */
int victims_prepare(void);

/* Notes a process. pid 0: it is not visible from here (another pid namespace). */
void victims_add(pid_t pid);

/* Kills those that live still, and their descendants. */
void victims_kill(void);

#endif
