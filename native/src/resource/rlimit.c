/* SPDX-License-Identifier: MIT */
#include "resource/rlimit.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "common/err.h"
#include "common/util.h"
#include "tree/task.h"

/* --- dump --- */

#define NAME_WIDTH 26 /* fs/proc/base.c: "%-25s " in front of the soft limit */

static const char *parse_limit(const char *p, uint64_t *limit)
{
	char *end;

	while (*p == ' ')
		p++;
	if (!strncmp(p, "unlimited", 9)) {
		*limit = RLIM_INFINITY;
		return p + 9;
	}
	*limit = strtoull(p, &end, 10);
	return end == p ? NULL : end;
}

/* prlimit(2) on another user's task takes CAP_SYS_RESOURCE; /proc/PID/limits lists the same, in the order of the numbers. */
TaskRlimitsEntry *rlimit_dump(const struct task *task)
{
	auto_free char *text = proc_read(task->pid, "limits", NULL);
	TaskRlimitsEntry *all = xzalloc(sizeof(*all));
	const char *line = text ? strchr(text, '\n') : NULL;

	task_rlimits_entry__init(all);
	all->rlimits = xzalloc(RLIM_NLIMITS * sizeof(*all->rlimits));
	while (line && line[1] && all->n_rlimits < RLIM_NLIMITS) {
		RlimitEntry *e = all->rlimits[all->n_rlimits++] = xzalloc(sizeof(*e));
		const char *p;

		rlimit_entry__init(e);
		p = strnlen(++line, NAME_WIDTH) == NAME_WIDTH ? parse_limit(line + NAME_WIDTH, &e->cur) : NULL;
		if (!p || !parse_limit(p, &e->max))
			break;
		line = strchr(line, '\n');
	}
	if (all->n_rlimits != RLIM_NLIMITS) {
		task_rlimits_entry__free_unpacked(all, NULL);
		err_set(EIO, "pid %d: cannot read its limits (/proc/%d/limits)", task->pid, task->pid);
		return NULL;
	}
	return all;
}
