/* SPDX-License-Identifier: MIT */
#include "ptrace/parasite.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "ptrace/parasite_area.h"
#include "ptrace/regs.h"
#include "ptrace/seize.h"
#include "resource/vma.h"

/* arch/x86/include/uapi/asm/sigcontext.h, ucontext.h */
#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4
#define XSAVE_SW_OFFSET 464

/* As the kernel lays it on a stack: arch/x86/include/asm/sigframe.h, struct rt_sigframe without its return address. */
struct frame {
	ucontext_t uc; /* glibc's begins like the kernel's: flags, link, stack, mcontext, mask */
};

/* The frame in the area, with which rt_sigreturn leads to the second trampoline. */
static int write_frame(struct parasite *p, const struct thread *thread, const struct user_regs_struct *regs, uint64_t trampoline)
{
	static unsigned char buffer[FRAME_ROOM];
	struct frame *frame = (void *)buffer;
	size_t fp = ROUND_UP(sizeof(*frame), 64UL);
	uint32_t *sw = (void *)(buffer + fp + XSAVE_SW_OFFSET);
	greg_t *g = frame->uc.uc_mcontext.gregs;

	if (fp + thread->xstate_size + 4 > FRAME_ROOM)
		return err_set(ENOTSUP, "thread %d: %zu bytes of extended registers are more than expected", thread->tid, thread->xstate_size);
	memset(buffer, 0, sizeof(buffer));
	frame->uc.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	g[REG_R8] = regs->r8, g[REG_R9] = regs->r9, g[REG_R10] = AREA_SIZE, g[REG_R11] = regs->r11;
	g[REG_R12] = regs->r12, g[REG_R13] = regs->r13, g[REG_R14] = regs->r14, g[REG_R15] = regs->r15;
	g[REG_RDI] = p->area, g[REG_RSI] = AREA_SIZE, g[REG_RDX] = regs->rdx, g[REG_RAX] = SYS_munmap;
	g[REG_RBP] = regs->rbp, g[REG_RBX] = regs->rbx, g[REG_RCX] = regs->rcx, g[REG_RSP] = regs->rsp;
	g[REG_RIP] = trampoline;
	g[REG_EFL] = regs->eflags;
	/* cs, gs, fs, ss as four 16-bit numbers */
	g[REG_CSGSFS] = (uint64_t)regs->cs | (uint64_t)regs->gs << 16 | (uint64_t)regs->fs << 32 | (uint64_t)regs->ss << 48;
	frame->uc.uc_mcontext.fpregs = (void *)(p->area + FRAME_OFFSET + fp);
	memset(&frame->uc.uc_sigmask, 0xff, 8); /* nothing may come between this and the trampoline's own mask */
	memcpy(buffer + fp, thread->xstate, thread->xstate_size);
	/* struct _fpx_sw_bytes; ptrace keeps XCR0 in the same 48 bytes, first of all (linux/sigcontext.h). */
	uint64_t features;

	memcpy(&features, sw, 8);
	memset(sw, 0, 48);
	sw[0] = FP_XSTATE_MAGIC1;
	sw[1] = thread->xstate_size + 4;
	memcpy(sw + 2, &features, 8);
	sw[4] = thread->xstate_size;
	memcpy(buffer + fp + thread->xstate_size, &(uint32_t){ FP_XSTATE_MAGIC2 }, 4);
	return area_poke(p, p->area + FRAME_OFFSET, buffer, fp + thread->xstate_size + 4);
}

/* Lets the thread run until its marker: a signal that means nothing to it, or the entry of rt_sigreturn or of the given system call. */
static int run_to_marker(struct parasite *p, struct thread *thread, uint64_t nr)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };
	int status;

	for (;;) {
		if (area_resume(thread->tid, p->marker ? PTRACE_CONT : PTRACE_SYSCALL) < 0 || (status = area_next_stop(thread->tid)) < 0)
			return -1;
		if (status >> 16)
			continue;
		if (p->marker && WSTOPSIG(status) == p->marker)
			return 0;
		if (WSTOPSIG(status) == SIGSEGV || WSTOPSIG(status) == SIGILL || WSTOPSIG(status) == SIGBUS)
			return err_set(EFAULT, "thread %d: the parasite ran into signal %d", thread->tid, WSTOPSIG(status));
		area_put_off(p, status);
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		if (ptrace(PTRACE_GETREGSET, thread->tid, NT_PRSTATUS, &iov) < 0)
			return err_errno("thread %d: cannot read its registers", thread->tid);
		if (regs.orig_rax == SYS_rt_sigreturn || regs.orig_rax == nr)
			return 0;
	}
}

/* What pcr does while the parasite stands at a mark in its middle, where it is about to make the system call nr. Returns 0 or -1 with the
 * error set. */
struct midway {
	int (*act)(struct parasite *p, struct parasite_args *args);
	uint64_t nr;
};

/* From the entry of rt_sigreturn, where a run without a marker ends, to the exit of a call that does not take place. At an entry the kernel would make
 * the call that orig_rax names: the one in which the thread was stopped, once more, even if it had been done. */
static int leave_call(struct parasite *p, const struct thread *thread)
{
	/* As it goes on if pcr dies on the way. */
	struct user_regs_struct regs = regs_for_image(thread);
	int status;

	regs.orig_rax = -1;
	if (sigmask_set(thread->tid, thread->sigmask) < 0 || regs_set(thread->tid, &regs) < 0)
		return -1;
	do {
		if (area_resume(thread->tid, PTRACE_SYSCALL) < 0 || (status = area_next_stop(thread->tid)) < 0)
			return -1;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			area_put_off(p, status);
	} while (WSTOPSIG(status) != (SIGTRAP | 0x80));
	return 0;
}

static int run(struct parasite *p, struct thread *thread, struct parasite_args *args, const struct midway *midway)
{
	struct user_regs_struct after = regs_for_image(thread), regs = thread->regs;
	uint64_t second = p->pad + ROUND_UP(sizeof(struct trampoline), 16UL);
	struct trampoline t;
	int result;

	area_make_trampoline(&t, &after, thread->sigmask);
	args->done = 0;
	args->marker_signal = p->marker;
	args->frame_altstack = p->area + FRAME_OFFSET + offsetof(ucontext_t, uc_stack);
	if (area_poke(p, second, &t, sizeof(t)) < 0 || write_frame(p, thread, &after, second + offsetof(struct trampoline, unmap_call)) < 0 ||
	    area_poke(p, p->area + ARGS_OFFSET, args, sizeof(*args)) < 0)
		return -1;
	/* Before somebody else runs in the area the leader must not unmap it. */
	if (thread != &p->task->threads[0] && regs_write(&p->task->threads[0]) < 0)
		return -1;
	regs.rip = p->area;
	regs.rsp = p->area + FRAME_OFFSET;
	regs.rdi = p->area + ARGS_OFFSET;
	regs.eflags &= ~0x400UL; /* no direction flag for C code */
	regs.orig_rax = -1;
	if (regs_set(thread->tid, &regs) < 0 || sigmask_set(thread->tid, p->marker ? ~(1ULL << (p->marker - 1)) : ~0ULL) < 0)
		return -1;
	result = run_to_marker(p, thread, midway ? midway->nr : SYS_rt_sigreturn);
	if (midway && result == 0) {
		int acted = area_peek(p, p->area + ARGS_OFFSET, args, sizeof(*args));

		if (acted == 0 && !args->done) {
			acted = midway->act(p, args);
			result = run_to_marker(p, thread, SYS_rt_sigreturn);
		}
		if (acted < 0)
			result = -1;
	}
	if (result == 0 && !p->marker && thread != &p->task->threads[0])
		result = leave_call(p, thread);
	if (thread != &p->task->threads[0] && regs_write(thread) < 0)
		return -1;
	if (area_park(p) < 0 || result < 0)
		return -1;
	if (area_peek(p, p->area + ARGS_OFFSET, args, sizeof(*args)) < 0)
		return -1;
	if (!args->done)
		return err_set(EFAULT, "thread %d: the parasite did not get through", thread->tid);
	return 0;
}

/* A signal that is ignored by default, not caught, blocked or pending in this process: a tracer sees it, nobody else does, so that
 * the parasite may raise it even when pcr is dead by then. 0 when there is none. */
static int choose_marker(const struct task *task)
{
	static const int candidates[] = { SIGURG, SIGWINCH, SIGCHLD, SIGCONT };
	static const char *const fields[] = { "SigCgt", "ShdPnd" };
	uint64_t taken = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *value = status_field(task->status, fields[i]);

		taken |= value ? strtoull(value, NULL, 16) : ~0ULL;
	}
	/* What is pending for one thread only is blocked by it, or delivered before it stops. */
	for (size_t i = 0; i < task->thread_count; i++)
		taken |= task->threads[i].sigmask;
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		if (!(taken & 1ULL << (candidates[i] - 1)))
			return candidates[i];
	return 0;
}

/* As many timers at a time as the arguments have room for. */
static int ask_timers(struct parasite *p, struct parasite_args *args)
{
	struct task *task = p->task;

	for (size_t done = 0; done < task->posix_timer_count; done += args->posix_timer_count) {
		size_t left = task->posix_timer_count - done;

		memset(args, 0, sizeof(*args));
		args->posix_timer_count = left < PARASITE_TIMERS ? left : PARASITE_TIMERS;
		memcpy(args->posix_timers, task->posix_timers + done, args->posix_timer_count * sizeof(*args->posix_timers));
		if (run(p, &task->threads[0], args, NULL) < 0)
			return -1;
		memcpy(task->posix_timers + done, args->posix_timers, args->posix_timer_count * sizeof(*args->posix_timers));
	}
	return 0;
}

static int leave(struct parasite *p)
{
	int result = area_unmap(p);

	if (p->stop_again)
		kill(p->task->pid, SIGSTOP);
	return result;
}

/* One run in the first thread, with the area made for it and unmapped again; keep: not if all went well. Returns 0, args filled in, or -1
 * with the error set. */
static int run_once(struct parasite *p, struct parasite_args *args, const struct midway *midway, bool keep)
{
	int result;

	p->marker = choose_marker(p->task);
	if (area_find_padding(p) < 0)
		return -1;
	result = area_map(p);
	args->maker_stack = p->area + MAKER_STACK;
	args->copy_room = p->area + COPY_OFFSET;
	if (result == 0 && p->shared && args->op == PARASITE_COPY)
		result = err_set(ENOTSUP, "pid %d: no copy of its memory is made: it may have no more memory to write to", p->task->pid);
	if (result == 0)
		result = run(p, &p->task->threads[0], args, midway);
	return result == 0 && keep ? 0 : leave(p) < 0 ? -1 : result;
}

static int take_uffd(struct parasite *p, struct parasite_args *args)
{
	auto_fd pidfd = task_pidfd(p->task);

	p->taken = pidfd < 0 ? -1 : pidfd_getfd(pidfd, args->result, 0);
	if (p->taken < 0)
		return err_errno("pid %d: its userfaultfd cannot be taken over", p->task->pid);
	return 0;
}

int parasite_uffd(struct task *task)
{
	const struct midway midway = { take_uffd, SYS_close };
	struct parasite p = { .task = task, .taken = -1 };
	struct parasite_args args = { .op = PARASITE_UFFD };

	if (run_once(&p, &args, &midway, false) < 0) {
		if (p.taken >= 0)
			close(p.taken);
		return -1;
	}
	if (args.result < 0)
		return err_set(-args.result, "pid %d: userfaultfd: %s", task->pid, strerror(-args.result));
	return p.taken;
}

int parasite_copy(struct task *task, bool shares, struct parasite_copy *copy)
{
	struct parasite *p = xzalloc(sizeof(*p));
	struct parasite_args args = { .op = PARASITE_COPY, .pcr_pid = getpid(), .copy_shares = shares };
	int result = 0;

	memset(copy, 0, sizeof(*copy));
	p->task = task;
	if (run_once(p, &args, NULL, true) < 0) {
		if (args.result > 0)
			kill(args.result, SIGKILL);
		free(p);
		return -1;
	}
	if (args.result <= 0)
		result = err_set(args.result ? -args.result : EFAULT, "pid %d: its memory cannot be copied: %s", task->pid, strerror(-args.result));
	*copy = (struct parasite_copy){ .pid = args.result > 0 ? args.result : 0,
					.ready = p->area + ARGS_OFFSET + offsetof(struct parasite_args, copy_ready),
					.scratch = p->pad,
					.scratch_size = 2 * sizeof(struct trampoline) + 16 };
	if (result == 0 && shares) {
		copy->inside = p;
		return 0;
	}
	if (leave(p) < 0) {
		result = -1;
		if (copy->pid)
			kill(copy->pid, SIGKILL);
	}
	free(p);
	return result;
}

int parasite_copy_leave(struct parasite_copy *copy)
{
	int result = copy->inside ? leave(copy->inside) : 0;

	free(copy->inside);
	copy->inside = NULL;
	return result;
}

int parasite_ask(struct task *task)
{
	struct parasite p = { .task = task, .marker = choose_marker(task) };
	struct parasite_args args;
	int result = 0;

	if (area_find_padding(&p) < 0)
		return -1;
	if (area_map(&p) < 0) {
		area_unmap(&p);
		return -1;
	}
	for (size_t i = 0; i < task->thread_count && !result; i++) {
		struct thread *thread = &task->threads[i];

		memset(&args, 0, sizeof(args));
		args.want_task = i == 0;
		result = run(&p, thread, &args, NULL);
		if (result < 0)
			break;
		thread->inside = args.thread;
		if (i == 0) {
			task->inside = args.task;
			result = ask_timers(&p, &args);
		}
	}
	if (area_unmap(&p) < 0)
		result = -1;
	if (p.stop_again)
		kill(task->pid, SIGSTOP);
	pr_debug("pid %d: asked %zu threads (marker signal %d)", task->pid, task->thread_count, p.marker);
	return result;
}

int parasite_mincore(struct task *task, uint64_t start, uint64_t count, unsigned char *there)
{
	struct parasite p = { .task = task, .marker = choose_marker(task) };
	struct parasite_args args = { .op = PARASITE_MINCORE };
	int result;

	if (area_find_padding(&p) < 0)
		return -1;
	result = area_map(&p);
	for (uint64_t done = 0; done < count && !result; done += args.mincore_pages) {
		args.mincore_start = start + done * PAGE;
		args.mincore_pages = count - done < sizeof(args.there) ? count - done : sizeof(args.there);
		result = run(&p, &task->threads[0], &args, NULL);
		if (!result && args.result < 0)
			result = err_set(-args.result, "pid %d: mincore of its mapping at 0x%" PRIx64 ": %s", task->pid, start, strerror(-args.result));
		memcpy(there + done, args.there, args.mincore_pages);
	}
	if (area_unmap(&p) < 0)
		result = -1;
	if (p.stop_again)
		kill(task->pid, SIGSTOP);
	return result;
}
