/* SPDX-License-Identifier: MIT */
#include "resource/signal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "restorer/restorer.h"
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

/* --- restore --- */

static int check_queue(pid_t tid, const SignalQueueEntry *queue)
{
	if (!queue)
		return 0;
	for (size_t i = 0; i < queue->n_signals; i++) {
		const ProtobufCBinaryData *info = &queue->signals[i]->siginfo;
		int32_t signo;

		if (info->len != SIGINFO_BYTES)
			return err_set(EINVAL, "core-%d.img: a pending signal of %zu bytes, a siginfo has %d", tid, info->len, SIGINFO_BYTES);
		memcpy(&signo, info->data, sizeof(signo));
		if (signo < 1 || signo > SIGNAL_COUNT)
			return err_set(EINVAL, "core-%d.img: a pending signal with number %d", tid, signo);
	}
	return 0;
}

int task_signals_check(pid_t pid, const TaskCoreEntry *tc)
{
	/* SIGKILL and SIGSTOP have no entry */
	if (tc->n_sigactions != SIGNAL_COUNT - 2)
		return err_set(EINVAL, "core-%d.img has the handlers of %zu signals, not of %d (older images with sigacts-%d.img are not "
			       "supported)", pid, tc->n_sigactions, SIGNAL_COUNT - 2, pid);
	for (size_t i = 0; i < tc->n_sigactions; i++)
		if (tc->sigactions[i]->has_compat_sigaction && tc->sigactions[i]->compat_sigaction)
			return err_set(ENOTSUP, "pid %d has 32-bit signal handlers, which cannot be restored", pid);
	return check_queue(pid, tc->signals_s);
}

int thread_signals_check(pid_t pid, pid_t tid, const ThreadCoreEntry *e)
{
	if (e->has_pdeath_sig && e->pdeath_sig > SIGNAL_COUNT)
		return err_set(EINVAL, "core-%d.img: parent death signal %u", tid, e->pdeath_sig);
	return check_queue(tid, e->signals_p);
}

int sigactions_restore(const TaskCoreEntry *tc)
{
	size_t at = 0;

	for (int signo = 1; signo <= SIGNAL_COUNT; signo++) {
		const SaEntry *e;
		struct restorer_sigaction action;

		if (signo == SIGKILL || signo == SIGSTOP)
			continue;
		e = tc->sigactions[at++];
		action = (struct restorer_sigaction){ e->sigaction, e->flags, e->restorer, e->mask };
		if (syscall(SYS_rt_sigaction, signo, &action, NULL, sizeof(action.mask)) < 0)
			return err_errno("cannot set the handler of signal %d", signo);
	}
	return 0;
}

size_t signal_queue_length(const SignalQueueEntry *queue)
{
	return queue ? queue->n_signals : 0;
}

void signal_queue_fill(void *to, const SignalQueueEntry *queue)
{
	for (size_t i = 0; i < signal_queue_length(queue); i++)
		memcpy((char *)to + i * SIGINFO_BYTES, queue->signals[i]->siginfo.data, SIGINFO_BYTES);
}
