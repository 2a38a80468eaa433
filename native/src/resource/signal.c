/* SPDX-License-Identifier: MIT */
#include "resource/signal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>

#include "common/err.h"
#include "common/util.h"
#include "tree/task.h"

/* --- dump --- */

#define PEEK_AT_ONCE 32

void signal_dump_actions(const struct task *task, TaskCoreEntry *core)
{
	core->sigactions = xzalloc(PARASITE_SIGNALS * sizeof(*core->sigactions));
	for (int signo = 1; signo <= PARASITE_SIGNALS; signo++) {
		const struct parasite_sigaction *a = &task->inside.sigactions[signo - 1];
		SaEntry *e;

		if (signo == SIGKILL || signo == SIGSTOP)
			continue;
		e = core->sigactions[core->n_sigactions++] = xzalloc(sizeof(*e));
		sa_entry__init(e);
		e->sigaction = a->handler;
		e->flags = a->flags;
		e->restorer = a->restorer;
		e->mask = a->mask;
		e->has_compat_sigaction = true;
	}
}

SignalQueueEntry *signal_dump_queue(const struct thread *thread, bool shared)
{
	struct __ptrace_peeksiginfo_args args = { .flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0, .nr = PEEK_AT_ONCE };
	SignalQueueEntry *queue = xzalloc(sizeof(*queue));
	siginfo_t infos[PEEK_AT_ONCE];
	size_t room = 0;
	long n;

	signal_queue_entry__init(queue);
	while ((n = ptrace(PTRACE_PEEKSIGINFO, thread->tid, &args, infos)) > 0) {
		for (long i = 0; i < n; i++) {
			SiginfoEntry **slot = array_push(&queue->signals, &queue->n_signals, &room, sizeof(*queue->signals));

			*slot = xzalloc(sizeof(**slot));
			siginfo_entry__init(*slot);
			(*slot)->siginfo.len = sizeof(siginfo_t);
			(*slot)->siginfo.data = xzalloc(sizeof(siginfo_t));
			memcpy((*slot)->siginfo.data, &infos[i], sizeof(siginfo_t));
		}
		args.off += n;
	}
	if (n < 0) {
		err_errno("thread %d: cannot read its pending signals", thread->tid);
		signal_queue_entry__free_unpacked(queue, NULL);
		return NULL;
	}
	return queue;
}

ThreadSasEntry *signal_dump_altstack(const struct thread *thread)
{
	ThreadSasEntry *e = xzalloc(sizeof(*e));

	thread_sas_entry__init(e);
	e->ss_sp = thread->inside.altstack_sp;
	e->ss_size = thread->inside.altstack_size;
	e->ss_flags = thread->inside.altstack_flags;
	return e;
}
