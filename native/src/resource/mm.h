/* SPDX-License-Identifier: MIT
 *
 * The address space as a whole: mm-N.img.
 */
#ifndef PCR_RESOURCE_MM_H
#define PCR_RESOURCE_MM_H

struct dump;
struct task;

/* --- dump --- */

/* Writes mm-PID.img: the mm fields (prctl(2), PR_SET_MM_MAP), auxv, the mappings. After vma_collect and parasite_ask. Returns 0 or -1
 * with the error set. */
int mm_dump(struct dump *dump, struct task *task);

#endif
