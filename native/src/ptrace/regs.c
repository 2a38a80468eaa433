/* SPDX-License-Identifier: MIT */
#include "ptrace/regs.h"

#include <elf.h>
#include <errno.h>
#include <linux/rseq.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "ptrace/syscall_restart.h"

#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif

#define XSTATE_MAX (64 * 1024)
#define CS_64BIT 0x33

/* include/linux/errno.h of the kernel: seen by tracers only. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

/* The interrupted critical section would be aborted on return to user space; our own code in between would make the kernel forget it. */
static int abort_rseq(struct task *task, struct thread *thread)
{
	struct __ptrace_rseq_configuration conf;
	struct rseq_cs cs;
	uint64_t pointer;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, thread->tid, sizeof(conf), &conf) != sizeof(conf) || !conf.rseq_abi_pointer)
		return 0;
	if (pread(task->mem_fd, &pointer, sizeof(pointer), conf.rseq_abi_pointer + offsetof(struct rseq, rseq_cs)) != sizeof(pointer))
		return err_errno("thread %d: its rseq area at 0x%llx cannot be read", thread->tid,
				 (unsigned long long)conf.rseq_abi_pointer);
	if (!pointer || pread(task->mem_fd, &cs, sizeof(cs), pointer) != sizeof(cs))
		return 0;
	if (thread->regs.rip - cs.start_ip < cs.post_commit_offset) {
		thread->regs.rip = cs.abort_ip;
		thread->regs.orig_rax = -1;
	}
	return 0;
}

int regs_read(struct task *task, struct thread *thread)
{
	struct iovec iov = { &thread->regs, sizeof(thread->regs) };
	static char buffer[XSTATE_MAX];

	if (ptrace(PTRACE_GETREGSET, thread->tid, NT_PRSTATUS, &iov) < 0)
		return err_errno("thread %d: cannot read its registers", thread->tid);
	if (iov.iov_len != sizeof(thread->regs) || thread->regs.cs != CS_64BIT)
		return err_set(ENOTSUP, "thread %d runs 32-bit code; only x86-64 processes can be dumped", thread->tid);
	iov = (struct iovec){ buffer, sizeof(buffer) };
	if (ptrace(PTRACE_GETREGSET, thread->tid, NT_X86_XSTATE, &iov) < 0)
		return err_errno("thread %d: cannot read its extended registers", thread->tid);
	free(thread->xstate);
	thread->xstate_size = iov.iov_len;
	thread->xstate = xzalloc(iov.iov_len);
	memcpy(thread->xstate, buffer, iov.iov_len);
	if (ptrace(PTRACE_GETSIGMASK, thread->tid, sizeof(thread->sigmask), &thread->sigmask) < 0)
		return err_errno("thread %d: cannot read its signal mask", thread->tid);
	thread->again = -(long)thread->regs.rax == ERESTART_RESTARTBLOCK ? syscall_to_enter_again(task, &thread->regs) : -1;
	return abort_rseq(task, thread);
}

struct user_regs_struct regs_for_image(const struct thread *thread)
{
	struct user_regs_struct regs = thread->regs;

	if ((long)regs.orig_rax < 0)
		return regs;
	switch (-(long)regs.rax) {
	case ERESTARTSYS:
	case ERESTARTNOINTR:
	case ERESTARTNOHAND:
		regs.rax = regs.orig_rax;
		regs.rip -= 2; /* the length of the syscall instruction */
		break;
	case ERESTART_RESTARTBLOCK:
		if (thread->again < 0) {
			regs.rax = -EINTR;
			break;
		}
		regs.rax = thread->again;
		regs.rip -= 2;
		break;
	}
	return regs;
}

int regs_set(pid_t tid, const struct user_regs_struct *regs)
{
	struct iovec iov = { (void *)regs, sizeof(*regs) };

	if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &iov) < 0)
		return err_errno("thread %d: cannot set its registers", tid);
	return 0;
}

int sigmask_set(pid_t tid, uint64_t mask)
{
	if (ptrace(PTRACE_SETSIGMASK, tid, sizeof(mask), &mask) < 0)
		return err_errno("thread %d: cannot set its signal mask", tid);
	return 0;
}

int regs_write(const struct thread *thread)
{
	/* The mask first: until the registers follow, the code at them puts the mask right by itself (parasite.c). */
	if (sigmask_set(thread->tid, thread->sigmask) < 0)
		return -1;
	return regs_set(thread->tid, &thread->regs);
}
