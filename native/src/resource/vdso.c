/* SPDX-License-Identifier: MIT */
#include "resource/vdso.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/page_reader.h"
#include "resource/vdso_proxy.h"
#include "tree/restore_tree.h"

#define VDSO_MAX (64 * PAGE)

/* --- restore --- */

const struct vdso_place *vdso_own(void)
{
	static struct vdso_place place;
	static bool known;
	auto_free char *text = NULL;

	if (known)
		return &place;
	known = true;
	text = proc_read(getpid(), "maps", NULL);
	for (char *line = text, *next; line && *line; line = next) {
		uint64_t start, end;
		char name[32] = "";

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %31s", &start, &end, name) < 3)
			continue;
		if (strncmp(name, "[vvar", 5) && strcmp(name, "[vdso]"))
			continue;
		if (place.piece_count < (int)ARRAY_LEN(place.pieces))
			place.pieces[place.piece_count++] = start;
		if (!strcmp(name, "[vvar]"))
			place.vvar_start = start;
		if (!strcmp(name, "[vdso]")) {
			place.vdso_start = start;
			place.vdso_end = end;
		}
	}
	return &place;
}

bool vdso_kept(const struct restore_task *task, struct vdso_part *part)
{
	const struct vdso_place *own = vdso_own();

	if (!task->vdso_start && !task->vvar_start)
		return false;
	part->start = own->pieces[0];
	if (task->vdso_start) {
		part->end = own->vdso_end;
		part->piece_count = own->piece_count;
		part->target = task->vdso_start - (own->vdso_start - own->pieces[0]);
	} else { /* as valgrind leaves it */
		part->end = own->vdso_start;
		part->piece_count = own->piece_count - 1;
		part->target = task->vvar_start;
	}
	return true;
}

int vdso_check(const struct restore *restore, const struct restore_task *task)
{
	const struct vdso_place *own = vdso_own();
	uint64_t size = task->vdso_end - task->vdso_start;
	auto_free char *dumped = NULL;
	int got;

	if (!task->vdso_start && !task->vvar_start)
		return 0;
	if (!task->vdso_start && task->vvar_end - task->vvar_start != own->vdso_start - own->vvar_start)
		return err_set(ENOTSUP, "pid %d was dumped on another kernel and has unmapped its vDSO but not its [vvar], which cannot be restored",
			       task->pid);
	if (!task->vdso_start)
		return 0;
	if (!own->vdso_start)
		return err_set(ENOTSUP, "pid %d uses a vDSO, and this kernel gives none", task->pid);
	if (size > VDSO_MAX)
		return err_set(EINVAL, "mm-%d.img: a vDSO of %" PRIu64 " bytes", task->pid, size);
	dumped = xzalloc(size);
	got = page_runs_peek(task->pages, restore->dirfd, task->vdso_start, dumped, size);
	if (got < 0)
		return -1;
	if (got == 0)
		pr_warn("pid %d: the images lack its vDSO's code; taking it for this kernel's", task->pid);
	if (size != own->vdso_end - own->vdso_start || (got && memcmp(dumped, (void *)own->vdso_start, size)) ||
	    (task->vvar_start && task->vdso_start - task->vvar_start != own->vdso_start - own->vvar_start))
		return !got ? err_set(ENOTSUP, "pid %d was dumped on another kernel, and the images lack its vDSO's code", task->pid) :
		       vdso_proxy_check(task, dumped, size) < 0 ? -1 : 1;
	return 0;
}
