/* SPDX-License-Identifier: MIT
 *
 * Files of memfd_create(2). The images also use them for shared anonymous memory, as the kernel names both alike ("/dev/zero").
 */
#ifndef PCR_RESOURCE_MEMFD_H
#define PCR_RESOURCE_MEMFD_H

#include "resource/fd_kind.h"

struct vma;

extern const struct fd_kind memfd_kind;

/* Copies to the images what only the memory of the tree's tasks holds of memfds and shared anonymous memory. Their tasks stand still.
 * Returns 0 or -1 with the error set. */
int memfd_dump_memory(struct dump *dump);

/* --- restore --- */

/* In the coordinator, before any task: opens the memfds that may not be sealed before all tasks have mapped them (fcntl(2),
 * F_SEAL_FUTURE_WRITE). Returns 0 or -1 with the error set. */
int memfds_open(struct restore *restore);

/* All tasks have their memory: seals those. Returns 0 or -1 with the error set. */
int memfds_seal(void);

/* Whether the file with this id is shared anonymous memory, mapped but nothing else. After the descriptors of all tasks were read.
 * Returns 1 with its segment id, 0, or -1 with the error set. */
int memfd_is_shmem(struct restore *restore, uint32_t id, uint64_t *shmem_id);

/* Writes the memfd that a mapping shows to the images, once, and sets vma->file_id. name: as smaps has it. Returns 0 or -1 with the error
 * set. */
int memfd_dump_mapping(struct dump *dump, const struct task *task, struct vma *vma, const char *name);

#endif
