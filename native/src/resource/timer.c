/* SPDX-License-Identifier: MIT */
#include "resource/timer.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "tree/task.h"

/* --- dump --- */

static int compare_ids(const void *a, const void *b)
{
	int32_t x = ((const struct parasite_posix_timer *)a)->id, y = ((const struct parasite_posix_timer *)b)->id;

	return (x > y) - (x < y);
}

int timer_list(struct task *task)
{
	size_t room = 0;
	const char *p;

	/* The file needs CONFIG_POSIX_TIMERS and CONFIG_CHECKPOINT_RESTORE. */
	task->timers_text = proc_read(task->live, "timers", NULL);
	if (!task->timers_text)
		return errno == ENOENT ? 0 : err_errno("pid %d: cannot read its POSIX timers", task->pid);
	for (p = task->timers_text; (p = strstr(p, "ID: ")); p++) {
		/* not the end of "ClockID: " */
		if (p != task->timers_text && p[-1] != '\n')
			continue;
		((struct parasite_posix_timer *)array_push(&task->posix_timers, &task->posix_timer_count, &room,
							    sizeof(*task->posix_timers)))->id = atoi(p + 4);
	}
	qsort(task->posix_timers, task->posix_timer_count, sizeof(*task->posix_timers), compare_ids);
	return 0;
}

/* One timer of proc_pid_timers(5): four lines. */
static PosixTimerEntry *dump_posix_timer(const struct task *task, const char *text)
{
	PosixTimerEntry *e = xzalloc(sizeof(*e));
	struct parasite_posix_timer key = { 0 }, *state;
	unsigned long long value;
	char notify[8], whom[4];
	int id, signo, target, clock;

	posix_timer_entry__init(e);
	if (sscanf(text, "ID: %d signal: %d/%llx notify: %7[a-z]/%3[a-z].%d ClockID: %d", &id, &signo, &value, notify, whom, &target, &clock) != 7) {
		err_set(EIO, "pid %d: /proc shows a POSIX timer that is not understood: %.80s", task->pid, text);
		free(e);
		return NULL;
	}
	key.id = id;
	state = bsearch(&key, task->posix_timers, task->posix_timer_count, sizeof(*task->posix_timers), compare_ids);
	e->it_id = id;
	e->clock_id = clock;
	e->si_signo = signo;
	e->sival_ptr = value;
	e->it_sigev_notify = !strcmp(notify, "none") ? SIGEV_NONE : !strcmp(notify, "thread") ? SIGEV_THREAD : SIGEV_SIGNAL;
	if (!strcmp(whom, "tid")) {
		e->it_sigev_notify |= SIGEV_THREAD_ID;
		e->has_notify_thread_id = true;
		e->notify_thread_id = target;
	}
	e->overrun = state->overrun > 0 ? state->overrun : 0;
	e->isec = state->when.interval_sec;
	e->insec = state->when.interval_sub;
	e->vsec = state->when.value_sec;
	e->vnsec = state->when.value_sub;
	return e;
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = (*(PosixTimerEntry *const *)a)->it_id, y = (*(PosixTimerEntry *const *)b)->it_id;

	return (x > y) - (x < y);
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
	e->posix = xzalloc((task->posix_timer_count + 1) * sizeof(*e->posix));
	for (const char *p = task->posix_timer_count ? task->timers_text : NULL; p && !strncmp(p, "ID: ", 4);) {
		PosixTimerEntry *timer = dump_posix_timer(task, p);

		if (!timer) {
			task_timers_entry__free_unpacked(e, NULL);
			return NULL;
		}
		e->posix[e->n_posix++] = timer;
		p = strstr(p, "\nID: ");
		p = p ? p + 1 : NULL;
	}
	/* Restore makes them in this order, which an older kernel, whose ids only grow, needs. */
	qsort(e->posix, e->n_posix, sizeof(*e->posix), by_id);
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
