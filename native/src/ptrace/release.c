/* SPDX-License-Identifier: MIT */
#include "ptrace/release.h"

#include <elf.h>
#include <errno.h>
#include <linux/rseq.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "common/err.h"
#include "common/util.h"
#include "ptrace/regs.h"
#include "ptrace/seize.h"
#include "resource/cpu.h"
#include "tree/restore_tree.h"

#ifndef PTRACE_O_SUSPEND_SECCOMP
#define PTRACE_O_SUSPEND_SECCOMP (1 << 21)
#endif
#define SYSCALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */

typedef int (*thread_fn)(struct restore *restore, struct restore_task *task, struct restore_thread *thread);

/* Calls fn for each thread of each task that lives. */
static int each_thread(struct restore *restore, thread_fn fn)
{
	for (size_t i = 0; i < restore->task_count; i++) {
		struct restore_task *task = &restore->tasks[i];

		for (size_t t = 0; t < task->thread_count && !task->zombie; t++)
			if (fn(restore, task, &task->threads[t]) < 0)
				return -1;
	}
	return 0;
}

int release_seize(const struct restore *restore, pid_t tid)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | (restore->has_seccomp ? PTRACE_O_SUSPEND_SECCOMP : 0);

	if (ptrace(PTRACE_SEIZE, tid, 0, options) == 0)
		return 0;
	return err_errno("cannot trace the new thread %d%s", tid,
			 errno == EPERM && restore->has_seccomp ?
				 " and suspend its seccomp filters (takes CAP_SYS_ADMIN and a pcr without filters of its own)" : "");
}

static int seize(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	if (thread->tid == restore->tasks[0].pid)
		return 0;
	return release_seize(restore, thread->tid) < 0 ? err_context("pid %d", task->pid) : 0;
}

int release_seize_all(struct restore *restore)
{
	return each_thread(restore, seize);
}

static int interrupt(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	if (ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0) < 0)
		return err_errno("pid %d: cannot stop the new thread %d", task->pid, thread->tid);
	return 0;
}

static int await_stop(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	if (wait_stopped(thread->tid, NULL, 0) < 0)
		return err_errno("pid %d: the new thread %d did not stop", task->pid, thread->tid);
	return 0;
}

/* --- the last system call of each process: munmap(region) --- */

static bool leads(const struct restore_task *task, const struct restore_thread *thread)
{
	return thread->tid == task->pid;
}

static int start_unmap(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	const struct restore_slot *slot = &restore->slots[restore_index(restore, task)];
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (!leads(task, thread))
		return 0;
	if (ptrace(PTRACE_GETREGSET, thread->tid, NT_PRSTATUS, &iov) < 0)
		return err_errno("pid %d: cannot read its registers", task->pid);
	regs.rip = slot->region + RESTORER_SYSCALL_OFFSET;
	regs.rax = SYS_munmap;
	regs.orig_rax = -1;
	regs.rdi = slot->region;
	regs.rsi = slot->region_size;
	if (regs_set(thread->tid, &regs) < 0)
		return err_context("pid %d", task->pid);
	if (ptrace(PTRACE_SYSCALL, thread->tid, 0, 0) < 0)
		return err_errno("pid %d: cannot run a system call in it", task->pid);
	return 0;
}

static int await_syscall_stop(struct restore_task *task, struct restore_thread *thread)
{
	int status;

	for (;;) {
		if (waitpid(thread->tid, &status, __WALL) < 0)
			return err_errno("pid %d: lost while its memory was put in order", task->pid);
		if (!WIFSTOPPED(status))
			return err_set(ECHILD, "pid %d ended while its memory was put in order", task->pid);
		if (WSTOPSIG(status) == SYSCALL_STOP)
			return 0;
		if (ptrace(PTRACE_SYSCALL, thread->tid, 0, 0) < 0)
			return err_errno("pid %d: cannot run a system call in it", task->pid);
	}
}

static int enter_unmap(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	if (!leads(task, thread))
		return 0;
	if (await_syscall_stop(task, thread) < 0)
		return -1;
	if (ptrace(PTRACE_SYSCALL, thread->tid, 0, 0) < 0)
		return err_errno("pid %d: cannot run a system call in it", task->pid);
	return 0;
}

static int finish_unmap(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (!leads(task, thread))
		return 0;
	if (await_syscall_stop(task, thread) < 0)
		return -1;
	if (ptrace(PTRACE_GETREGSET, thread->tid, NT_PRSTATUS, &iov) < 0)
		return err_errno("pid %d: cannot read its registers", task->pid);
	if (regs.rax != 0)
		return err_set(-(int)regs.rax, "pid %d: cannot unmap the restorer: %s", task->pid, strerror(-(int)regs.rax));
	return 0;
}

/* --- registers --- */

static int set_state(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	const CoreEntry *core = thread->core;
	const ThreadCoreEntry *tce = core->thread_core;
	auto_free void *area = xzalloc(xsave_size());
	struct iovec iov = { area, xsave_size() };
	struct user_regs_struct regs = { 0 };
	uint64_t mask = tce->has_blk_sigset ? tce->blk_sigset : core->tc ? core->tc->blk_sigset : 0;

	cpu_build_xsave(area, core->thread_info);
	if (ptrace(PTRACE_SETREGSET, thread->tid, xsave_size() > XSAVE_HEADER ? NT_X86_XSTATE : NT_PRFPREG, &iov) < 0)
		return err_errno("pid %d: cannot set the extended registers of thread %d", task->pid, thread->tid);
	cpu_build_regs(&regs, core->thread_info);
	if (regs_set(thread->tid, &regs) < 0 || sigmask_set(thread->tid, mask) < 0)
		return err_context("pid %d", task->pid);
	/* A critical section that the thread stood in; the registration cleared it. */
	if (tce->rseq_entry && tce->rseq_entry->has_rseq_cs_pointer && tce->rseq_entry->rseq_cs_pointer) {
		uint64_t cs = tce->rseq_entry->rseq_cs_pointer;
		struct iovec local = { &cs, sizeof(cs) };
		struct iovec remote = { (void *)(tce->rseq_entry->rseq_abi_pointer + offsetof(struct rseq, rseq_cs)), sizeof(cs) };

		if (process_vm_writev(task->pid, &local, 1, &remote, 1, 0) != sizeof(cs))
			return err_errno("pid %d: cannot set the rseq critical section of thread %d", task->pid, thread->tid);
	}
	return 0;
}

int release_prepare(struct restore *restore)
{
	return each_thread(restore, interrupt) < 0 || each_thread(restore, await_stop) < 0 || each_thread(restore, start_unmap) < 0 ||
			       each_thread(restore, enter_unmap) < 0 || each_thread(restore, finish_unmap) < 0 ||
			       each_thread(restore, set_state) < 0
		       ? -1
		       : 0;
}

/* Whether the task can be stopped by the signal that had stopped it: no handler, not blocked, and, as for all but SIGSTOP, a parent that
 * could let it go on (a group that is not orphaned, credentials(7)). */
static bool stops(const struct restore *restore, const struct restore_task *task, unsigned int sig)
{
	const TaskCoreEntry *tc = task->threads[0].core->tc;
	const struct restore_task *parent = task->parent;
	/* sigactions leave out SIGKILL and SIGSTOP, which lie in front of these. */
	size_t index = sig - 3;

	if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
		return false;
	if (!parent || parent->sid != task->sid || parent->pgid == task->pgid || tc->blk_sigset >> (sig - 1) & 1)
		return false;
	return index < tc->n_sigactions && tc->sigactions[index]->sigaction == 0;
}

static int stop_again(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	const TaskCoreEntry *tc = task->threads[0].core->tc;

	if (task->stopped && leads(task, thread))
		kill(task->pid, stops(restore, task, tc->has_stop_signo ? tc->stop_signo : 0) ? (int)tc->stop_signo : SIGSTOP);
	return 0;
}

/* A tracer that dies lets such a thread run on, ptrace(2). */
static int spare(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	ptrace(PTRACE_SETOPTIONS, thread->tid, 0, PTRACE_O_TRACESYSGOOD);
	return 0;
}

static int let_go(struct restore *restore, struct restore_task *task, struct restore_thread *thread)
{
	release_thread(thread->tid);
	return 0;
}

void release_all(struct restore *restore)
{
	each_thread(restore, stop_again);
	/* The only moment in which the death of pcr could take a part of the tree with it: a system call per thread, nobody runs. */
	each_thread(restore, spare);
	each_thread(restore, let_go);
}
