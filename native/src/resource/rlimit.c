/* SPDX-License-Identifier: MIT */
#include "resource/rlimit.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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
	auto_free char *text = proc_read(task->live, "limits", NULL);
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

/* --- restore --- */

static const char *const names[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = "CPU",		[RLIMIT_FSIZE] = "FSIZE", [RLIMIT_DATA] = "DATA",	[RLIMIT_STACK] = "STACK",
	[RLIMIT_CORE] = "CORE",		[RLIMIT_RSS] = "RSS",	  [RLIMIT_NPROC] = "NPROC",	[RLIMIT_NOFILE] = "NOFILE",
	[RLIMIT_MEMLOCK] = "MEMLOCK",	[RLIMIT_AS] = "AS",	  [RLIMIT_LOCKS] = "LOCKS",	[RLIMIT_SIGPENDING] = "SIGPENDING",
	[RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_NICE] = "NICE",	  [RLIMIT_RTPRIO] = "RTPRIO", [RLIMIT_RTTIME] = "RTTIME",
};

static int may_raise(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	syscall(SYS_capget, &header, data);
	return data[0].effective >> CAP_SYS_RESOURCE & 1;
}

int rlimits_check(pid_t pid, const TaskCoreEntry *tc)
{
	const TaskRlimitsEntry *limits = tc->rlimits;

	if (!limits)
		return 0;
	if (limits->n_rlimits > RLIM_NLIMITS)
		return err_set(EINVAL, "core-%d.img has %zu resource limits; there are %d", pid, limits->n_rlimits, RLIM_NLIMITS);
	for (size_t i = 0; i < limits->n_rlimits; i++) {
		const RlimitEntry *e = limits->rlimits[i];
		struct rlimit own;

		if (e->cur > e->max)
			return err_set(EINVAL, "core-%d.img: RLIMIT_%s is %" PRIu64 ", above its own maximum %" PRIu64, pid, names[i], e->cur, e->max);
		if (getrlimit(i, &own) == 0 && e->max > own.rlim_max && !may_raise())
			return err_set(EPERM, "pid %d: RLIMIT_%s was %" PRIu64 ", here at most %" PRIu64 " is allowed; start pcr with a higher limit "
				       "or CAP_SYS_RESOURCE", pid, names[i], e->max, (uint64_t)own.rlim_max);
	}
	return 0;
}

void rlimits_fill(struct restorer_args *args, const TaskCoreEntry *tc)
{
	if (!tc->rlimits)
		return;
	args->rlimit_count = tc->rlimits->n_rlimits;
	for (size_t i = 0; i < tc->rlimits->n_rlimits; i++) {
		args->rlimits[i][0] = tc->rlimits->rlimits[i]->cur;
		args->rlimits[i][1] = tc->rlimits->rlimits[i]->max;
	}
}
