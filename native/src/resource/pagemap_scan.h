/* SPDX-License-Identifier: MIT
 *
 * Which pages of a task are its own, and which of them were written since tracking began: PAGEMAP_SCAN (the kernel's
 * admin-guide/mm/pagemap.rst, Linux 6.7), or the pages' 64-bit entries where the kernel has no such thing.
 */
#ifndef PCR_RESOURCE_PAGEMAP_SCAN_H
#define PCR_RESOURCE_PAGEMAP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct task;
struct vma;

/* Pages next to each other, of one mapping, all written or all not. */
struct page_range {
	uint64_t start, end;
	uint32_t vma; /* index in task->vmas */
	char *kept; /* contents as they were read before, NULL: still to be read */
	bool unwritten; /* as they were when tracking was last armed */
};

struct page_ranges {
	struct page_range *list; /* ascending, disjoint */
	size_t count, room;
};

/* Finds the pages that an image of the task must have: present or swapped out, private, neither the file's nor the zero page; of the
 * vDSO and of AIO rings all. of: the process to look at, the task itself or a copy of it. arm: write-protects the pages of tracked
 * mappings, so that the next scan tells which were written after this one. Fills in task->ranges. Returns 0 or -1 with the error set. */
int pagemap_scan(struct task *task, pid_t of, bool arm);

/* Whether the kernel has PAGEMAP_SCAN, without which nothing can be tracked. */
bool pagemap_scan_available(void);

/* Finds the guard regions of a mapping. Returns 0 or -1 with the error set: the kernel cannot tell where they are. */
int pagemap_find_guards(struct task *task, struct vma *vma);

#endif
