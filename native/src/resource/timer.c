/* SPDX-License-Identifier: MIT */
#include "resource/timer.h"

#include <errno.h>
#include <stdint.h>
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

/* --- restore --- */

static int check_itimer(pid_t pid, const char *name, const ItimerEntry *e)
{
	if (e->iusec >= 1000000 || e->vusec >= 1000000)
		return err_set(EINVAL, "core-%d.img: the %s timer has more than 999999 microseconds", pid, name);
	return 0;
}

int timers_check(pid_t pid, const TaskCoreEntry *tc)
{
	const TaskTimersEntry *timers = tc->timers;

	if (!timers)
		return 0;
	if (check_itimer(pid, "real", timers->real) < 0 || check_itimer(pid, "virtual", timers->virt) < 0 ||
	    check_itimer(pid, "profiling", timers->prof) < 0)
		return -1;
	for (size_t i = 0; i < timers->n_posix; i++) {
		const PosixTimerEntry *e = timers->posix[i];

		if (e->insec >= 1000000000 || e->vnsec >= 1000000000 || e->si_signo > 64 || e->it_id > INT32_MAX)
			return err_set(EINVAL, "core-%d.img: POSIX timer %u is not one", pid, e->it_id);
	}
	return 0;
}

static void fill_itimer(uint64_t to[4], const ItimerEntry *e)
{
	to[0] = e->isec;
	to[1] = e->iusec;
	to[2] = e->vsec;
	to[3] = e->vusec;
}

void timers_fill(struct restorer_args *args, const TaskCoreEntry *tc, struct restorer_posix_timer *to)
{
	const TaskTimersEntry *timers = tc->timers;

	if (!timers)
		return;
	fill_itimer(args->itimers[0], timers->real);
	fill_itimer(args->itimers[1], timers->virt);
	fill_itimer(args->itimers[2], timers->prof);
	args->posix_timers = (uint64_t)to;
	args->posix_timer_count = timers->n_posix;
	for (size_t i = 0; i < timers->n_posix; i++) {
		const PosixTimerEntry *e = timers->posix[i];

		to[i] = (struct restorer_posix_timer){
			.id = e->it_id,
			.clock = e->clock_id,
			.notify = e->it_sigev_notify,
			.signo = e->si_signo,
			.value = e->sival_ptr,
			.notify_tid = e->has_notify_thread_id ? e->notify_thread_id : 0,
			.interval_sec = e->isec,
			.interval_nsec = e->insec,
			.value_sec = e->vsec,
			.value_nsec = e->vnsec,
		};
	}
}
