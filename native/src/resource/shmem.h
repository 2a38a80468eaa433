/* SPDX-License-Identifier: MIT
 *
 * Shared anonymous memory, mmap(2) with MAP_SHARED | MAP_ANONYMOUS: one segment, mapped by any tasks of the tree.
 */
#ifndef PCR_RESOURCE_SHMEM_H
#define PCR_RESOURCE_SHMEM_H

#include <stdint.h>

struct restore;
struct restore_task;

/* --- restore --- */

struct restore_shmem {
	uint64_t id; /* vma_entry.shmid, names the pagemap-shmem image */
	uint64_t size; /* bytes: as far as somebody maps it */
	struct restore_task *owner; /* who creates it: the nearest common ancestor of all who map it */
	struct page_runs *pages; /* NULL: all zeros */
	char *at; /* in the owner and those forked from it: the whole segment */
};

/* Index in restore->shmems of the segment that the task maps [0, end) of. */
long shmem_use(struct restore *restore, struct restore_task *task, uint64_t id, uint64_t end);

/* After the last use: reads the page maps. Returns 0 or -1 with the error set. */
int shmem_read_all(struct restore *restore);

/* In the task: creates and fills the segments that are its own to create. Returns 0 or -1 with the error set. */
int shmem_create(struct restore *restore, struct restore_task *task);

#endif
