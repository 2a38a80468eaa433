/* SPDX-License-Identifier: MIT
 *
 * Copy on write: private memory that a child still shared with its parent is shared again. The parent makes such mappings, with their
 * contents, before it forks; the child keeps those pages that its own image says are the same.
 */
#ifndef PCR_RESOURCE_VMA_INHERIT_H
#define PCR_RESOURCE_VMA_INHERIT_H

struct restore;
struct restore_task;

/* In the coordinator, when the mappings of all tasks were read: which mappings of a task hold what a child of it could take over. */
void vmas_plan_inherit(struct restore *restore);

/* In the task, before it clones its children: makes of what it has from its maker's memory those mappings that are its own too, unmaps
 * the rest, and makes those that its children wait for. Returns 0 or -1 with the error set. */
int vmas_inherit(struct restore *restore, struct restore_task *task);

#endif
