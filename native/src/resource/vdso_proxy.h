/* SPDX-License-Identifier: MIT
 *
 * A process from another kernel: it has found the functions of its vDSO and calls them where they are. The old code stays there as
 * ordinary memory, each function replaced by a jump to this kernel's of the same name, or by the system call (vdso(7)).
 */
#ifndef PCR_RESOURCE_VDSO_PROXY_H
#define PCR_RESOURCE_VDSO_PROXY_H

#include <stddef.h>
#include <stdint.h>

struct restore;
struct restore_task;

/* Whether the old vDSO, size bytes at image, can be made to lead to this kernel's. Returns 0 or -1 with the error set. */
int vdso_proxy_check(const struct restore_task *task, const char *image, size_t size);

/* In the task, when the old code is in memory and writable (task->old_vdso): redirects it, and decides where this kernel's vDSO goes
 * (task->vdso_start, vvar_start). Returns 0 or -1 with the error set. */
int vdso_proxy_patch(struct restore *restore, struct restore_task *task);

#endif
