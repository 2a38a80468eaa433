/* SPDX-License-Identifier: MIT
 *
 * Pre-dump: the memory of a running tree, so that the dump that follows needs only what was written since.
 */
#ifndef PCR_TREE_PRE_DUMP_H
#define PCR_TREE_PRE_DUMP_H

#include "cli/request.h"

/* Writes the memory of the tree of request->pid into request->images_fd, and nothing else. The tree stands still only while it is
 * seen which pages there are; they are read while it runs, and one that is written meanwhile counts as written for the next dump.
 * Returns 0; -1 with the error set and no image left. */
int pre_dump_run(const struct request *request);

#endif
