/* SPDX-License-Identifier: MIT
 *
 * System V shared memory (shmget(2), shmat(2)) that the tree has attached; ipcns-shm-N.img and the segments' pages.
 */
#ifndef PCR_RESOURCE_SYSVSHM_H
#define PCR_RESOURCE_SYSVSHM_H

#include <stdint.h>

struct dump;
struct restore;
struct task;
struct vma;

/* --- dump --- */

/* Writes the segment that a mapping shows, once. Returns 0 or -1 with the error set. */
int sysvshm_dump(struct dump *dump, const struct task *task, const struct vma *vma);

/* After the last mapping. Returns 0 or -1 with the error set. */
int sysvshm_dump_end(void);

/* --- restore --- */

/* Notes that the tree attaches bytes [0, end) of the segment with this id; reads and checks its images. Returns 0 or -1 with the error set. */
int sysvshm_use(struct restore *restore, uint64_t id, uint64_t end);

/* In the coordinator, before any task: makes the segments that are gone, with their old ids. Returns 0 or -1 with the error set. */
int sysvshm_make(struct restore *restore);

/* In the coordinator, when all have attached: removes those that were marked for removal. Returns 0 or -1 with the error set. */
int sysvshm_attached(void);

/* The restore has failed: removes what was made. */
void sysvshm_unmake(void);

/* In a task: attaches size bytes from offset at `at`. flags: SHM_REMAP, what is mapped there goes; SHM_RDONLY, it may
 * never be written by this mapping. Returns 0, or -1 with errno (EEXIST: the place is
 * taken) and no error set. */
int sysvshm_attach(uint64_t id, uint64_t offset, uint64_t size, uint64_t at, int prot, int flags);

#endif
