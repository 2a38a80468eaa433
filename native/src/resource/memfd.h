/* SPDX-License-Identifier: MIT
 *
 * Files of memfd_create(2). The images also use them for shared anonymous memory, as the kernel names both alike ("/dev/zero").
 */
#ifndef PCR_RESOURCE_MEMFD_H
#define PCR_RESOURCE_MEMFD_H

#include "resource/fd_kind.h"

extern const struct fd_kind memfd_kind;

/* --- restore --- */

/* When the entry's inode is shared anonymous memory: true and its segment id. */
bool memfd_is_shmem(const FileEntry *entry, uint64_t *shmem_id);

#endif
