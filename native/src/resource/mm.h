/* SPDX-License-Identifier: MIT
 *
 * The address space as a whole: mm-N.img.
 */
#ifndef PCR_RESOURCE_MM_H
#define PCR_RESOURCE_MM_H

#include <stdint.h>

struct dump;
struct task;

/* --- dump --- */

/* Writes mm-PID.img: the mm fields (prctl(2), PR_SET_MM_MAP), auxv, the mappings. After vma_collect and parasite_ask. Returns 0 or -1
 * with the error set. */
int mm_dump(struct dump *dump, struct task *task);

/* --- restore --- */

struct restorer_args;
struct restore_task;

/* Returns 0 or -1 with the error set. */
int mm_check(const struct restore_task *task);
/* auxv: room for task->mm->n_mm_saved_auxv numbers at an address of the restorer's region. */
void mm_fill(struct restorer_args *args, const struct restore_task *task, uint64_t *auxv);

#endif
