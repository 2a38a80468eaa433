/* SPDX-License-Identifier: MIT
 *
 * Mappings, restored. As many as possible are made where they belong while the task still runs pcr's code; the others, whose place
 * is taken by pcr's own, wait elsewhere until the restorer's blob moves them.
 */
#ifndef PCR_RESOURCE_VMA_RESTORE_H
#define PCR_RESOURCE_VMA_RESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct restore;
struct restore_task;

/* End of the addresses that a process can use, x86-64 with four levels of page tables. */
#define TASK_SIZE 0x7ffffffff000UL

/* Checks the mappings of mm-PID.img (order, bounds, kinds), notes the files and segments that they use, and reads the page map.
 * After the descriptors of all tasks were read. Returns 0 or -1 with the error set. */
int vmas_read(struct restore *restore, struct restore_task *task);

/* In the task: makes the mappings that are not made yet (restore_vma.at is 0), without contents; only_wanted: those that a child takes
 * over (vma_inherit.h). First all that can be in their places, then those that must wait in a hole. Returns 0 or -1 with the error set. */
int vmas_map(struct restore *restore, struct restore_task *task, bool only_wanted);

/* In the task: reads the contents of the mappings that are made and have none yet. Returns 0 or -1 with the error set. */
int vmas_load(struct restore *restore, struct restore_task *task);

/* In the task: transparent huge pages as the images say (PR_SET_THP_DISABLE). Before memory is touched. Returns 0 or -1 with the error set. */
int vmas_set_thp(const struct restore_task *task);

/* In the task: makes all mappings with their contents. Returns 0 or -1 with the error set. */
int vmas_restore(struct restore *restore, struct restore_task *task);

/* In the task: room of size bytes that no mapping has, now or later; mapped read, write and execute. NULL with the error set. */
void *vmas_reserve_hole(const struct restore_task *task, uint64_t size);

#endif
