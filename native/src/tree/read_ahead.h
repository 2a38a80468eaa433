/* SPDX-License-Identifier: MIT
 *
 * Reads small files of /proc on two processors: a second thread begins at the end of the list while the caller works from its front, and
 * both stop where they meet. In a large tree such files cost more than anything else while it stands still.
 */
#ifndef PCR_TREE_READ_AHEAD_H
#define PCR_TREE_READ_AHEAD_H

#include "tree/task.h"

/* The files that a dump looks at first: each thread's status, each task's smaps, in the order of the tasks. Begins to read them. */
void read_ahead_start(const struct tree *tree);

/* Fills in one of them (thread->status, task->smaps), in the order in which they are listed. Left alone when it is not listed or cannot be read:
 * the caller then reads it, and finds out why not. */
void read_ahead_take(char **text);

/* Ends the thread and forgets the list; what was read and not taken stays where it belongs. */
void read_ahead_end(void);

#endif
