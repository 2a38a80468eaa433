/* SPDX-License-Identifier: MIT
 *
 * What a thread sets for itself, and the leader for the process, when nothing can fail elsewhere any more. The order matters where
 * a comment says so.
 */
#include <asm/resource.h>
#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/time.h>
#include <sys/syscall.h>

#include "sys.h"

/* linux/prctl.h of Linux 6.3 and 6.4, which may be newer than the headers here */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

#define PR_TIMER_CREATE_RESTORE_IDS 77
#define SIGINFO_SIZE 128
#define EBUSY 16
#define MOST_WASTED_TIMERS 10000000

static void check(struct restorer_args *args, struct restorer_thread *t, long e, const char *what, uint64_t value)
{
	if (e < 0)
		fail(args, t->tid, what, value, e);
}

static void leader_begin(struct restorer_args *args, struct restorer_thread *t)
{
	/* Only here has everybody who shares the descriptor table used the executable; who comes second finds it closed. */
	sys1(SYS_close, args->exe_fd);
	sys1(SYS_close, args->log_fd);
	for (uint32_t i = 0; i < args->shared_signal_count; i++) {
		int32_t *info = (int32_t *)(args->signals + SIGINFO_SIZE * (args->shared_signal_first + i));

		check(args, t, sys3(SYS_rt_sigqueueinfo, args->pid, info[0], info), "cannot queue again the pending signal", info[0]);
	}
}

static void posix_timers(struct restorer_args *args, struct restorer_thread *t)
{
	const struct restorer_posix_timer *timer = (const void *)args->posix_timers;
	int chosen;

	if (!args->posix_timer_count)
		return;
	chosen = sys5(SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, 1, 0, 0, 0) == 0;
	for (uint64_t i = 0; i < args->posix_timer_count; i++, timer++) {
		/* struct sigevent: value, signo, notify, then the thread of SIGEV_THREAD_ID */
		struct {
			uint64_t value;
			int32_t signo, notify, tid, pad[11];
		} event = { timer->value, timer->signo, timer->notify, timer->notify_tid, { 0 } };
		int32_t id = timer->id;
		uint64_t when[4] = { timer->interval_sec, timer->interval_nsec, timer->value_sec, timer->value_nsec };

		/* Before Linux 6.15 ids only grow: those in between are used up. */
		for (int wasted = 0;; wasted++) {
			check(args, t, sys3(SYS_timer_create, timer->clock, &event, &id), "cannot create again the timer with id", timer->id);
			if (id == timer->id)
				break;
			sys1(SYS_timer_delete, id);
			check(args, t, chosen || id > timer->id || wasted > MOST_WASTED_TIMERS ? -EBUSY : 0,
			      "its timer gets another id (Linux 6.15 can choose): wanted", timer->id);
			id = timer->id;
		}
		check(args, t, sys4(SYS_timer_settime, id, 0, when, 0), "cannot set the timer with id", timer->id);
	}
	if (chosen)
		sys5(SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, 0, 0, 0, 0);
}

/* Behind the credentials of all threads: changing them clears what is set here. */
/* Timers and queued signals may be more than the limit on them has come to allow: it is set behind them, then without privileges, which
 * only raising the hard limit would take. */
static void sigpending_limit(struct restorer_args *args, struct restorer_thread *t, int last)
{
	uint64_t now[2], hard[2];

	if (args->rlimit_count <= RLIMIT_SIGPENDING)
		return;
	hard[0] = hard[1] = args->rlimits[RLIMIT_SIGPENDING][1];
	sys4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, 0, now);
	if (last || now[1] < hard[1])
		check(args, t, sys4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, last ? args->rlimits[RLIMIT_SIGPENDING] : hard, 0),
		      "cannot set the resource limit number", RLIMIT_SIGPENDING);
}

static void leader_end(struct restorer_args *args, struct restorer_thread *t)
{
	uint32_t n;

	while ((n = __atomic_load_n(&args->finished_here, __ATOMIC_SEQ_CST)) < args->thread_count - 1)
		futex_wait(&args->finished_here, n);
	if (args->dumpable >= 0)
		check(args, t, sys5(SYS_prctl, PR_SET_DUMPABLE, args->dumpable, 0, 0, 0), "cannot set dumpable", 0);
	/* Last: they run from here on. A real-time timer without a value has expired; taking its signal would start it again. */
	if (!args->itimers[0][2] && !args->itimers[0][3]) {
		args->itimers[0][2] = args->itimers[0][0];
		args->itimers[0][3] = args->itimers[0][1];
	}
	for (int i = 0; i < 3; i++)
		if (args->itimers[i][0] || args->itimers[i][1] || args->itimers[i][2] || args->itimers[i][3])
			check(args, t, sys3(SYS_setitimer, i, args->itimers[i], 0), "cannot set its interval timer", i);
	posix_timers(args, t);
	sigpending_limit(args, t, 1);
}

void thread_finish(struct restorer_args *args, struct restorer_thread *t, int leader)
{
	for (uint32_t i = 0; i < t->tls_count; i++)
		check(args, t, sys1(SYS_set_thread_area, &t->tls[i]), "cannot set its TLS descriptor", t->tls[i].entry_number);
	if (t->robust_list_len)
		check(args, t, sys2(SYS_set_robust_list, t->robust_list, t->robust_list_len), "cannot set its robust list", t->robust_list);
	sys1(SYS_set_tid_address, t->clear_tid_address);
	if (t->rseq)
		check(args, t, sys4(SYS_rseq, t->rseq, t->rseq_size, 0, t->rseq_signature), "cannot register its rseq area", t->rseq);
	if (t->altstack_size) {
		struct {
			uint64_t sp;
			int32_t flags, pad;
			uint64_t size;
		} stack = { t->altstack_sp, t->altstack_flags, 0, t->altstack_size };

		check(args, t, sys2(SYS_sigaltstack, &stack, 0), "cannot set its alternate signal stack", t->altstack_sp);
	}
	check(args, t, sys5(SYS_prctl, PR_SET_NAME, t->comm, 0, 0, 0), "cannot set its name", 0);
	for (uint32_t i = 0; i < t->signal_count; i++) {
		int32_t *info = (int32_t *)(args->signals + SIGINFO_SIZE * (t->signal_first + i));

		check(args, t, sys4(SYS_rt_tgsigqueueinfo, args->pid, t->tid, info[0], info), "cannot queue again the pending signal",
		      info[0]);
	}
	if (leader)
		leader_begin(args, t);
	if (t->set_policy) {
		int32_t param = t->priority;

		check(args, t, sys3(SYS_sched_setscheduler, 0, t->policy, &param), "cannot set its scheduling policy", t->policy);
	}
	if (t->set_nice)
		check(args, t, sys3(SYS_setpriority, 0, 0, (int64_t)t->nice), "cannot set its nice value (needs CAP_SYS_NICE)", 0);
	/* Processors that are not here do not matter as long as one is. */
	if (t->affinity_size)
		check(args, t, sys3(SYS_sched_setaffinity, 0, t->affinity_size, t->affinity), "cannot bind it to its processors", 0);
	if (t->ioprio)
		check(args, t, sys3(SYS_ioprio_set, 1, 0, t->ioprio), "cannot set its I/O priority", t->ioprio);
	if (t->timer_slack)
		check(args, t, sys5(SYS_prctl, PR_SET_TIMERSLACK, t->timer_slack, 0, 0, 0), "cannot set its timer slack", t->timer_slack);
	if (t->set_mce_kill)
		check(args, t, sys5(SYS_prctl, PR_MCE_KILL, PR_MCE_KILL_SET, t->mce_kill, 0, 0), "cannot set its machine check policy", t->mce_kill);
	if (t->no_tsc)
		check(args, t, sys5(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0), "cannot bar it from the time stamp counter", 0);
	/* The kernel takes one bit less than it is told. */
	if (t->mempolicy)
		check(args, t, sys3(SYS_set_mempolicy, t->mempolicy, t->mempolicy_nodes, RESTORER_NODES + 1),
		      "cannot set its NUMA memory policy (are its memory nodes here?), mode", t->mempolicy & 0xff);
	if (leader) {
		if (args->subreaper)
			check(args, t, sys5(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "cannot make it a subreaper", 0);
		if (args->mlock_future)
			check(args, t, sys1(SYS_mlockall, MCL_FUTURE), "cannot lock its future mappings (mlockall)", 0);
		if (args->memory_merge)
			check(args, t, sys5(SYS_prctl, PR_SET_MEMORY_MERGE, 1, 0, 0, 0), "cannot have equal pages of it merged (PR_SET_MEMORY_MERGE)", 0);
		if (args->mdwe)
			check(args, t, sys5(SYS_prctl, PR_SET_MDWE, args->mdwe, 0, 0, 0), "cannot bar it from executing what it wrote (PR_SET_MDWE)", 0);
		for (uint32_t i = 0; i < args->rlimit_count; i++)
			if (i != RLIMIT_SIGPENDING)
				check(args, t, sys4(SYS_prlimit64, 0, i, args->rlimits[i], 0), "cannot set the resource limit number", i);
		sigpending_limit(args, t, 0);
	}
	/* Without no_new_privs it takes CAP_SYS_ADMIN. */
	seccomp_restore(args, t);
	creds_restore(args, t);
	/* Behind the credentials, which clear it. */
	check(args, t, sys5(SYS_prctl, PR_SET_PDEATHSIG, t->pdeath_sig, 0, 0, 0), "cannot set its parent death signal", t->pdeath_sig);
	if (leader)
		leader_end(args, t);
	else
		futex_add(&args->finished_here);
}
