/* SPDX-License-Identifier: MIT
 *
 * Restoring a tree from an images directory.
 */
#ifndef PCR_TREE_RESTORE_H
#define PCR_TREE_RESTORE_H

#include "cli/request.h"

/* Restores the tree in request->images_fd and lets it run. result->pid is the root task, a child of this process, or with
 * restore_sibling of this process's parent. Returns 0, or -1 with the error set and no task left behind. */
int restore_run(const struct request *request, struct result *result);

#endif
