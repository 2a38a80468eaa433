/* SPDX-License-Identifier: MIT
 *
 * In which control groups the tree is: noted by every dump, entered again by a restore, as --manage-cgroups says;
 * cgroup_dirs.h has their directories and properties.
 */
#ifndef PCR_RESOURCE_CGROUP_H
#define PCR_RESOURCE_CGROUP_H

#include <sys/types.h>

#include "images/core.pb-c.h"

struct dump;
struct restore;
struct restore_task;
struct task;

/* The number in the images of the groups that pcr itself is in, for inventory_entry.root_cg_set. */
#define CGROUP_OWN_SET 1

/* --- dump --- */

/* Notes the groups of a thread (cgroups(7), /proc/PID/cgroup). Nothing when /proc does not tell. */
void cgroup_dump(const struct dump *dump, const struct task *task, pid_t tid, ThreadCoreEntry *entry);
/* Writes cgroup.img when some task is in other groups than pcr. Returns 0 or -1 with the error set. */
int cgroup_dump_end(struct dump *dump);
void cgroup_forget(void);

/* --- restore --- */

/* Reads cgroup.img when a task needs it. Returns 0 or -1 with the error set: a damaged image. */
int cgroup_read(struct restore *restore);
/* Before any task is there: makes directories that are missing. Returns 0 or -1 with the error set. */
int cgroup_prepare(const struct restore *restore);
/* In the new task, before it has children: enters its groups where they differ from its maker's. What is not there is reported. */
void cgroup_enter(struct restore *restore, const struct restore_task *task);

#endif
