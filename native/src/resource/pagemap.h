/* SPDX-License-Identifier: MIT
 *
 * Page contents: which pages of a mapping differ from what a fresh mapping would show (pagemap-N.img), and what is in them
 * (pages-N.img).
 */
#ifndef PCR_RESOURCE_PAGEMAP_H
#define PCR_RESOURCE_PAGEMAP_H

#include <stdint.h>

struct dump;
struct page_source;
struct task;

/* --- dump --- */

/* Writes the pages of task->ranges (pagemap_scan): those that were not written since the parent dump refer to it as far as it has them.
 * Pages of zeros in anonymous memory are left out. from: where they are read, the task itself or the copy of it. running: it may go on
 * running meanwhile, and what it unmaps is left out. Returns 0 or -1 with the error set. */
int pagemap_dump(struct dump *dump, struct task *task, const struct page_source *from);

/* Writes the contents of a shared memory file (memfd, System V segment), as those of the segment id. Returns 0 or -1 with the error set. */
int pagemap_dump_shmem_file(struct dump *dump, int fd, uint64_t id);

#endif
