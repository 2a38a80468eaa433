/* SPDX-License-Identifier: MIT
 *
 * Page contents: which pages of a mapping differ from what a fresh mapping would show (pagemap-N.img), and what is in them
 * (pages-N.img).
 */
#ifndef PCR_RESOURCE_PAGEMAP_H
#define PCR_RESOURCE_PAGEMAP_H

struct dump;
struct task;

/* --- dump --- */

/* Writes the private memory of a frozen task: anonymous pages that were written, file pages that were modified, the vDSO. Pages of
 * zeros in anonymous memory are left out. Returns 0 or -1 with the error set. */
int pagemap_dump(struct dump *dump, struct task *task);

/* Writes the shared anonymous memory that a task maps, each segment once in a dump. Returns 0 or -1 with the error set. */
int pagemap_dump_shmem(struct dump *dump, struct task *task);

/* Forgets the segments written: one dump has ended. */
void pagemap_dump_end(void);

#endif
