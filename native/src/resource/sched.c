/* SPDX-License-Identifier: MIT */
#include "resource/sched.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "tree/task.h"

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS(ioprio) ((ioprio) >> 13)
#define IOPRIO_CLASS_NONE 0
#define IOPRIO_CLASS_BE 2
#define DEFAULT_TIMER_SLACK 50000 /* ns; prctl(2), PR_SET_TIMERSLACK */

/* --- dump --- */

/* Only a mask that leaves out processors is worth keeping: the others differ from machine to machine. */
static void dump_affinity(const struct thread *thread, ThreadCoreEntry *e)
{
	unsigned char mask[RESTORER_AFFINITY_MAX] = { 0 };
	long size = syscall(SYS_sched_getaffinity, thread->tid, sizeof(mask), mask), cpus = 0;

	for (long i = 0; i < size; i++)
		cpus += __builtin_popcount(mask[i]);
	if (size <= 0 || cpus >= sysconf(_SC_NPROCESSORS_ONLN))
		return;
	e->has_pcr_affinity = true;
	e->pcr_affinity.len = size;
	e->pcr_affinity.data = xzalloc(size);
	memcpy(e->pcr_affinity.data, mask, size);
}

/* Without one of its own a thread has what its nice value says: best effort, (nice + 20) / 5 (ioprio_set(2)). */
static void dump_ioprio(const struct thread *thread, int nice, ThreadCoreEntry *e)
{
	long ioprio = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, thread->tid);

	if (ioprio < 0 || IOPRIO_CLASS(ioprio) == IOPRIO_CLASS_NONE || ioprio == (IOPRIO_CLASS_BE << 13 | (nice + 20) / 5))
		return;
	e->has_pcr_ioprio = true;
	e->pcr_ioprio = ioprio;
}

static void dump_mempolicy(const struct thread *thread, ThreadCoreEntry *e)
{
	const struct parasite_thread *in = &thread->inside;

	if (in->mempolicy <= 0) /* MPOL_DEFAULT, or a kernel without */
		return;
	e->has_pcr_mempolicy = e->has_pcr_mempolicy_nodes = true;
	e->pcr_mempolicy = in->mempolicy;
	e->pcr_mempolicy_nodes.len = sizeof(in->mempolicy_nodes);
	e->pcr_mempolicy_nodes.data = xzalloc(sizeof(in->mempolicy_nodes));
	memcpy(e->pcr_mempolicy_nodes.data, in->mempolicy_nodes, sizeof(in->mempolicy_nodes));
}

static void dump_prctl(const struct thread *thread, ThreadCoreEntry *e)
{
	const struct parasite_thread *in = &thread->inside;
	const char *seccomp = status_field(thread->status, "Seccomp");

	if (in->timerslack_ns && in->timerslack_ns != DEFAULT_TIMER_SLACK) {
		e->has_pcr_timer_slack = true;
		e->pcr_timer_slack = in->timerslack_ns;
	}
	if (in->mce_kill == PR_MCE_KILL_LATE || in->mce_kill == PR_MCE_KILL_EARLY) {
		e->has_pcr_mce_kill = true;
		e->pcr_mce_kill = in->mce_kill;
	}
	/* Strict seccomp forbids the counter, too, and does so again. */
	if (in->tsc == PR_TSC_SIGSEGV && !(seccomp && atoi(seccomp) == SECCOMP_MODE_STRICT)) {
		e->has_pcr_tsc = true;
		e->pcr_tsc = in->tsc;
	}
}

int sched_dump(const struct thread *thread, ThreadCoreEntry *e)
{
	int policy = sched_getscheduler(thread->tid), nice = getpriority(PRIO_PROCESS, thread->tid);
	struct sched_param param;

	if (policy < 0)
		return err_errno("thread %d: cannot read its scheduling policy", thread->tid);
	e->has_sched_policy = true;
	e->sched_policy = policy;
	policy &= ~SCHED_RESET_ON_FORK;
	if (policy > SCHED_IDLE)
		return err_set(ENOTSUP, "thread %d runs under scheduling policy %d, which cannot be dumped", thread->tid, policy);
	dump_affinity(thread, e);
	dump_ioprio(thread, nice, e);
	dump_prctl(thread, e);
	dump_mempolicy(thread, e);
	if (policy == SCHED_FIFO || policy == SCHED_RR) {
		if (sched_getparam(thread->tid, &param) < 0)
			return err_errno("thread %d: cannot read its priority", thread->tid);
		e->has_sched_prio = true;
		e->sched_prio = param.sched_priority;
		return 0;
	}
	e->has_sched_nice = true;
	e->sched_nice = nice;
	return 0;
}

/* --- restore --- */

int sched_check(pid_t pid, pid_t tid, const ThreadCoreEntry *e)
{
	if (e->has_pcr_affinity && (!e->pcr_affinity.len || e->pcr_affinity.len > RESTORER_AFFINITY_MAX))
		return err_set(EINVAL, "core-%d.img: an affinity mask of %zu bytes", tid, e->pcr_affinity.len);
	if ((e->has_pcr_mce_kill && e->pcr_mce_kill > PR_MCE_KILL_EARLY) || (e->has_pcr_tsc && e->pcr_tsc != PR_TSC_SIGSEGV))
		return err_set(EINVAL, "core-%d.img: machine check policy %u, time stamp counter %u", tid, e->pcr_mce_kill, e->pcr_tsc);
	if (e->has_pcr_mempolicy && e->pcr_mempolicy_nodes.len != RESTORER_NODES / 8)
		return err_set(EINVAL, "core-%d.img: memory nodes of %zu bytes", tid, e->pcr_mempolicy_nodes.len);
	if (!e->has_sched_policy)
		return 0;
	switch (e->sched_policy & ~(uint32_t)SCHED_RESET_ON_FORK) {
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
	if (e->has_pcr_affinity) {
		t->affinity_size = e->pcr_affinity.len;
		memcpy(t->affinity, e->pcr_affinity.data, e->pcr_affinity.len);
	}
	t->ioprio = e->has_pcr_ioprio ? e->pcr_ioprio : 0;
	t->timer_slack = e->has_pcr_timer_slack ? e->pcr_timer_slack : 0;
	t->set_mce_kill = e->has_pcr_mce_kill;
	t->mce_kill = e->pcr_mce_kill;
	t->no_tsc = e->has_pcr_tsc;
	if (e->has_pcr_mempolicy) {
		t->mempolicy = e->pcr_mempolicy;
		memcpy(t->mempolicy_nodes, e->pcr_mempolicy_nodes.data, sizeof(t->mempolicy_nodes));
	}
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
