/* SPDX-License-Identifier: MIT */
#include "resource/timer.h"

#include <errno.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "tree/task.h"

/* --- dump --- */

int timer_check(const struct task *task)
{
	/* proc_pid_timers(5); the file needs CONFIG_POSIX_TIMERS and CONFIG_CHECKPOINT_RESTORE. */
	auto_free char *text = proc_read(task->pid, "timers", NULL);

	if (text && !strncmp(text, "ID:", 3))
		return err_set(ENOTSUP, "pid %d has a POSIX timer (timer_create, id %d), which cannot be dumped yet", task->pid, atoi(text + 3));
	return 0;
}

static ItimerEntry *dump_itimer(const struct parasite_timer *t)
{
	ItimerEntry *e = xzalloc(sizeof(*e));

	itimer_entry__init(e);
	e->isec = t->interval_sec;
	e->iusec = t->interval_sub;
	e->vsec = t->value_sec;
	e->vusec = t->value_sub;
	return e;
}

TaskTimersEntry *timer_dump(const struct task *task)
{
	TaskTimersEntry *e = xzalloc(sizeof(*e));

	task_timers_entry__init(e);
	e->real = dump_itimer(&task->inside.itimers[0]);
	e->virt = dump_itimer(&task->inside.itimers[1]);
	e->prof = dump_itimer(&task->inside.itimers[2]);
	return e;
}
