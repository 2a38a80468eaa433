/* SPDX-License-Identifier: MIT
 *
 * Page contents: which pages of a mapping differ from what a fresh mapping would show (pagemap-N.img), and what is in them
 * (pages-N.img).
 */
#ifndef PCR_RESOURCE_PAGEMAP_H
#define PCR_RESOURCE_PAGEMAP_H

#include <stdint.h>

struct dump;
struct task;
struct vma;

/* --- dump --- */

/* Writes the private memory of a frozen task: anonymous pages that were written, file pages that were modified, the vDSO. Pages of
 * zeros in anonymous memory are left out. Returns 0 or -1 with the error set. */
int pagemap_dump(struct dump *dump, struct task *task);

/* Finds the guard regions of a mapping. Returns 0 or -1 with the error set: the kernel cannot tell where they are. */
int pagemap_find_guards(struct task *task, struct vma *vma);

/* Writes the contents of a shared memory file (memfd, System V segment), as those of the segment id. Returns 0 or -1 with the error set. */
int pagemap_dump_shmem_file(struct dump *dump, int fd, uint64_t id);

#endif
