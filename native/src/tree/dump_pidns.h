/* SPDX-License-Identifier: MIT
 *
 * Dumps of trees that a restore has put into a user and pid namespace (tree/pidns.h): pcr goes in there, where pids are those of the
 * images.
 */
#ifndef PCR_TREE_DUMP_PIDNS_H
#define PCR_TREE_DUMP_PIDNS_H

#include <stdbool.h>

#include "cli/request.h"

/* Does the process live in a namespace that a restore of pcr has made beside our own, with our mounts? Others are refused later, by
 * namespace_check(). */
bool dump_is_in_pidns(pid_t pid);

/* As dump_run(), for such a tree. request->pid is as we see it. */
int dump_in_pidns(const struct request *request, struct result *result);

#endif
