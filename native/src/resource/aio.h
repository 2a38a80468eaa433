/* SPDX-License-Identifier: MIT
 *
 * Kernel AIO contexts, io_setup(2): each is a ring of completions mapped into the task ("/[aio]"), whose address is its name.
 */
#ifndef PCR_RESOURCE_AIO_H
#define PCR_RESOURCE_AIO_H

#include <stdint.h>

#include "images/mm.pb-c.h"

struct restore_task;
struct task;
struct vma;

/* --- dump --- */

/* Adds the ring of a mapping to the image of its task's memory. Returns 0 or -1 with the error set. */
int aio_dump(const struct task *task, const struct vma *vma, MmEntry *mm);

/* --- restore --- */

/* Checks the ring of a mapping against the image. Returns 0 or -1 with the error set. */
int aio_check(const struct restore_task *task, const VmaEntry *vma);

/* In the task: makes a context whose ring is at `at`. replace: what is mapped there goes. Returns 0, or -1 with errno (EEXIST: the place is
 * taken) and no error set. */
int aio_map(const struct restore_task *task, const VmaEntry *vma, uint64_t at, int replace);

/* In the task: the ring at `at` has the recorded contents; makes the kernel's idea of it the same. Returns 0 or -1 with the error set. */
int aio_finish(const VmaEntry *vma, uint64_t at);

#endif
