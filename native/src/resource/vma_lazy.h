/* SPDX-License-Identifier: MIT
 *
 * Mappings of a lazy restore (restore --lazy-pages): which are left to the lazy-pages daemon (lazy/daemon.h).
 */
#ifndef PCR_RESOURCE_VMA_LAZY_H
#define PCR_RESOURCE_VMA_LAZY_H

struct restore_task;

/* Takes what the daemon fills in out of task->pages: lazy pages of anonymous private mappings. Locked memory, memory that a fork wipes
 * and huge pages are read at once. Returns 0, or -1 with the error set for pages that neither the images nor the daemon can bring. */
int vmas_plan_lazy(struct restore_task *task);

#endif
