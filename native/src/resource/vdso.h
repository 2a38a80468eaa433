/* SPDX-License-Identifier: MIT
 *
 * The kernel's own pages in each task, vdso(7): [vvar], [vvar_vclock] (data) and [vdso] (code). Code and data have a fixed distance,
 * so they are moved together.
 */
#ifndef PCR_RESOURCE_VDSO_H
#define PCR_RESOURCE_VDSO_H

#include <stdbool.h>
#include <stdint.h>

struct restore;
struct restore_task;
struct page_runs;

/* --- restore --- */

/* Where this process has them; the same in all that it forks. Zeros when the kernel gives none. */
struct vdso_place {
	uint64_t vvar_start, vdso_start, vdso_end; /* vvar_start..vdso_start is data of one or two mappings */
	uint64_t pieces[4]; /* starts of the mappings, ascending; the last is the code */
	int piece_count;
};
const struct vdso_place *vdso_own(void);

/* What of ours the task keeps, and where it wants it: all of it, or without the code where it had unmapped that. Returns false for nothing. */
struct vdso_part {
	uint64_t start, end; /* here */
	int piece_count; /* of vdso_place.pieces, from the first */
	uint64_t target; /* of start */
};
bool vdso_kept(const struct restore_task *task, struct vdso_part *part);

/* Is the task's vDSO the one that this kernel gives, so that moving ours to its address is all that is to do? Returns 0; 1 when it is
 * another kernel's, whose functions can be redirected (vdso_proxy.h); -1 with the error set. */
int vdso_check(const struct restore *restore, const struct restore_task *task);

#endif
