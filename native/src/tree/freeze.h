/* SPDX-License-Identifier: MIT
 *
 * Stopping a whole tree of processes, every thread of it, and letting it go.
 */
#ifndef PCR_TREE_FREEZE_H
#define PCR_TREE_FREEZE_H

#include "cli/request.h"
#include "tree/task.h"

/* Seizes and stops root and all its descendants with all their threads, until none is born any more; fills in tree with what
 * /proc/PID/stat, status and the threads' registers show. Returns 0; -1 with the error set and nothing stopped: no such
 * process, a kernel thread, a zombie, traced by another, not allowed, our own ancestor, not stopped within request->timeout. */
int freeze_tree(struct tree *tree, const struct request *request);

/* Whether request is for the owner's own processes only and pid is not one: real, effective and saved ids count. 0, or -1 with EPERM set,
 * or ESRCH where it is gone. */
int refuse_stranger(const struct request *request, pid_t pid);

/* Lets every thread run on. */
void thaw_tree(struct tree *tree);

/* Kills every process and waits until none of their threads runs. */
void kill_tree(struct tree *tree);

/* Frees what freeze_tree made. */
void free_tree(struct tree *tree);

#endif
