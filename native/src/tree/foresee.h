/* SPDX-License-Identifier: MIT
 *
 * What this user cannot have is said before anything is stopped or started.
 */
#ifndef PCR_TREE_FORESEE_H
#define PCR_TREE_FORESEE_H

#include "cli/request.h"

struct restore;

/* Looks at the running tree of request->pid for what the dump will not be allowed to; what a restore by the same user will not be allowed to is a
 * warning. Returns 0; -1 with the error set: process, what it has, and what would allow it. */
int foresee_dump(const struct request *request);

/* The same for the images that have been read. outside: the tree is restored where pcr lives, not in a namespace. */
int foresee_restore(struct restore *restore, bool outside);

#endif
