/* SPDX-License-Identifier: MIT
 *
 * The copy may not be a child of the process: it would show in wait(2) and in its resource usage. So a maker that shares the process's
 * memory and descriptors (a child, for some microseconds) makes the copy, and ends at a moment when the process ignores SIGCHLD:
 * the kernel then takes the maker away by itself, sends no signal and counts nothing, wait(2). The copy is an orphan by that and
 * goes to the subreaper or init. Where the memory is to be written while the process stands still, "the copy" shares it instead.
 */
#include "ptrace/parasite/copy.h"

#include <asm/unistd.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <stdint.h>

#include "ptrace/parasite/serve.h"
#include "ptrace/parasite/sys.h"
#include "ptrace/parasite_args.h"

#define SIGKILL 9
#define SIGCHLD 17
#define SIG_IGN 1
#define ESRCH 3
#define EINTR 4
/* Between looks whether the maker is still there. */
#define LOOK_NS 20000000

struct timespec64 {
	int64_t sec, nsec;
};

/* pcr traces it by then, or soon; when pcr is gone it ends by itself. */
__attribute__((used)) void copy_main(struct parasite_args *args)
{
	static const char name[] = "pcr-copy";

	sys(__NR_prctl, PR_SET_NAME, (long)name, 0, 0, 0);
	/* Out of reach of signals to its group and terminal. */
	sys(__NR_setsid, 0, 0, 0, 0, 0);
	/* A table of its own, an empty one: nothing stays open for its sake. */
	if (sys(__NR_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE, 0, 0) == 0)
		serve(args);
	sys(__NR_exit_group, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}

static void set(int32_t *word)
{
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	sys6(__NR_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0);
}

static void await(int32_t *word)
{
	while (!__atomic_load_n(word, __ATOMIC_SEQ_CST))
		sys6(__NR_futex, (long)word, FUTEX_WAIT, 0, 0, 0, 0);
}

/* Until the maker has the copy. Returns 0, or -1 when somebody killed the maker. */
static int await_maker(struct parasite_args *args, long maker)
{
	struct timespec64 look = { 0, LOOK_NS };

	while (!__atomic_load_n(&args->maker_done, __ATOMIC_SEQ_CST)) {
		sys6(__NR_futex, (long)&args->maker_done, FUTEX_WAIT, 0, (long)&look, 0, 0);
		if (!__atomic_load_n(&args->maker_done, __ATOMIC_SEQ_CST) && sys(__NR_wait4, maker, 0, __WALL | WNOHANG, 0, 0) != 0)
			return -1;
	}
	return 0;
}

/* A child that goes on in entry(args): on that stack, or, with 0, on its copy of this one. */
static long start(unsigned long flags, uint64_t stack, void (*entry)(struct parasite_args *), struct parasite_args *args)
{
	register long r10 asm("r10") = 0;
	register long r8 asm("r8") = 0;
	register void (*r12)(struct parasite_args *) asm("r12") = entry;
	long ret;

	asm volatile("syscall\n"
		     "	test %%rax, %%rax\n"
		     "	jnz 1f\n"
		     "	mov %%rbx, %%rdi\n"
		     "	and $-16, %%rsp\n"
		     "	call *%%r12\n"
		     "1:"
		     : "=a"(ret)
		     : "a"(__NR_clone), "D"(flags), "S"(stack & ~15UL), "d"(0), "r"(r10), "r"(r8), "b"(args), "r"(r12)
		     : "rcx", "r11", "memory");
	return ret;
}

/* On a stack of its own. */
__attribute__((used)) void copy_maker(struct parasite_args *args)
{
	sys(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (args->copy_shares)
		args->result = start(CLONE_VM | CLONE_FILES | CLONE_UNTRACED | SIGCHLD, args->copy_room + PARASITE_COPY_ROOM, copy_main, args);
	else
		args->result = start(CLONE_FILES | CLONE_UNTRACED | SIGCHLD, 0, copy_main, args);
	set(&args->maker_done);
	await(&args->maker_go);
	sys(__NR_exit, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}

static long start_maker(struct parasite_args *args)
{
	return start(CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_UNTRACED | SIGCHLD, args->maker_stack, copy_maker, args);
}

void copy_make(struct parasite_args *args)
{
	struct parasite_sigaction before, ignore = { .handler = SIG_IGN };
	long maker = start_maker(args);

	if (maker < 0) {
		args->result = maker;
		return;
	}
	if (await_maker(args, maker) < 0) {
		args->result = -ESRCH;
		return;
	}
	sys(__NR_rt_sigaction, SIGCHLD, (long)&ignore, (long)&before, 8, 0);
	set(&args->maker_go);
	/* ECHILD: it is gone. */
	while (sys(__NR_wait4, maker, 0, __WALL, 0, 0) == -EINTR)
		;
	sys(__NR_rt_sigaction, SIGCHLD, (long)&before, 0, 8, 0);
}
