/* SPDX-License-Identifier: MIT */
#include "resource/sched.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#include "common/err.h"
#include "common/util.h"

/* --- restore --- */

int sched_check(pid_t pid, pid_t tid, const ThreadCoreEntry *e)
{
	if (!e->has_sched_policy)
		return 0;
	switch (e->sched_policy) {
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_FIFO:
	case SCHED_RR:
		break;
	default:
		return err_set(ENOTSUP, "pid %d: thread %d has scheduling policy %u, which cannot be restored", pid, tid, e->sched_policy);
	}
	if (e->has_sched_nice && (e->sched_nice < -20 || e->sched_nice > 19))
		return err_set(EINVAL, "core-%d.img: nice value %d", tid, e->sched_nice);
	if (e->has_sched_prio && e->sched_prio > 99)
		return err_set(EINVAL, "core-%d.img: priority %u", tid, e->sched_prio);
	return 0;
}

void sched_fill(struct restorer_thread *t, const ThreadCoreEntry *e)
{
	/* Threads of the blob inherit ours. */
	if (e->has_sched_policy) {
		t->policy = e->sched_policy;
		t->priority = e->has_sched_prio ? e->sched_prio : 0;
		t->set_policy = (int)e->sched_policy != sched_getscheduler(0);
	}
	if (e->has_sched_nice) {
		t->nice = e->sched_nice;
		t->set_nice = e->sched_nice != getpriority(PRIO_PROCESS, 0);
	}
}
