/* SPDX-License-Identifier: MIT
 *
 * The parasite: runs for some microseconds inside a thread that is being dumped and asks the kernel what it tells only
 * to the thread itself. It changes nothing, and it needs no tracer to end: its last act is rt_sigreturn to a frame
 * that puts everything back (ptrace/parasite.c says how).
 */
#include <asm/unistd.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <stdint.h>

#include "ptrace/parasite/copy.h"
#include "ptrace/parasite/sys.h"
#include "ptrace/parasite_args.h"

/* linux/prctl.h of Linux 6.3 and 6.4, which may be newer than the headers here */
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#ifndef PR_GET_MEMORY_MERGE
#define PR_GET_MEMORY_MERGE 68
#endif

#define O_CLOEXEC_UFFD (02000000 | 1) /* O_CLOEXEC, and UFFD_USER_MODE_ONLY of linux/userfaultfd.h */
#define MEMBARRIER_GET_REGISTRATIONS (1 << 9) /* linux/membarrier.h */

/* rsp points at the frame's ucontext, rdi at the arguments. */
asm(".pushsection .text.entry,\"ax\"\n"
    ".globl blob_entry\n"
    "blob_entry:\n"
    "	mov %rsp, %rbx\n"
    "	and $-64, %rsp\n"
    "	call parasite_main\n"
    "	mov %rbx, %rsp\n"
    "	mov $15, %eax\n" /* rt_sigreturn */
    "	syscall\n"
    "	ud2\n"
    ".popsection\n");

/* struct stack_t of sigaltstack(2) */
struct altstack {
	uint64_t sp;
	int32_t flags, pad;
	uint64_t size;
};

static void ask_altstack(struct parasite_args *args)
{
	struct parasite_thread *t = &args->thread;
	struct altstack sas = { 0 };

	sys(__NR_sigaltstack, 0, (long)&sas, 0, 0, 0);
	t->altstack_sp = sas.sp;
	t->altstack_size = sas.size;
	t->altstack_flags = sas.flags;
	/* rt_sigreturn sets the alternate stack from the frame: put back what is there. */
	*(struct altstack *)args->frame_altstack = sas;
}

static void ask_thread(struct parasite_args *args)
{
	struct parasite_thread *t = &args->thread;
	int value = 0;

	ask_altstack(args);
	sys(__NR_prctl, PR_GET_TID_ADDRESS, (long)&t->tid_address, 0, 0, 0);
	t->securebits = sys(__NR_prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
	sys(__NR_prctl, PR_GET_PDEATHSIG, (long)&value, 0, 0, 0);
	t->pdeath_sig = value;
	sys(__NR_prctl, PR_GET_TSC, (long)&value, 0, 0, 0);
	t->tsc = value;
	t->mce_kill = sys(__NR_prctl, PR_MCE_KILL_GET, 0, 0, 0, 0);
	value = -1;
	sys(__NR_get_mempolicy, (long)&value, (long)t->mempolicy_nodes, MEMPOLICY_NODES, 0, 0);
	t->mempolicy = value;
	t->timerslack_ns = sys(__NR_prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);
}

/* With MCL_FUTURE a new page is there before it is touched. */
static int mlock_future(void)
{
	long page = sys6(__NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char there = 0;

	if (page < 0 && page > -4096)
		return 0;
	sys(__NR_mincore, page, 4096, (long)&there, 0, 0);
	sys(__NR_munmap, page, 4096, 0, 0, 0);
	return there & 1;
}

static void ask_task(struct parasite_args *args)
{
	struct parasite_task *t = &args->task;
	unsigned long ldt[2];
	int value = 0;

	for (int i = 0; i < PARASITE_SIGNALS; i++)
		sys(__NR_rt_sigaction, i + 1, 0, (long)&t->sigactions[i], 8, 0);
	for (int i = 0; i < 3; i++)
		sys(__NR_getitimer, i, (long)&t->itimers[i], 0, 0, 0);
	t->brk = sys(__NR_brk, 0, 0, 0, 0, 0);
	t->dumpable = sys(__NR_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
	sys(__NR_prctl, PR_GET_CHILD_SUBREAPER, (long)&value, 0, 0, 0);
	t->subreaper = value;
	t->thp_disabled = sys(__NR_prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0);
	t->mdwe = sys(__NR_prctl, PR_GET_MDWE, 0, 0, 0, 0);
	t->memory_merge = sys(__NR_prctl, PR_GET_MEMORY_MERGE, 0, 0, 0, 0);
	t->mlock_future = mlock_future();
	t->ldt_size = sys(__NR_modify_ldt, 0, (long)&ldt, sizeof(ldt), 0, 0);
	t->membarrier = sys(__NR_membarrier, MEMBARRIER_GET_REGISTRATIONS, 0, 0, 0, 0);
}

static void ask_timers(struct parasite_args *args)
{
	for (int i = 0; i < args->posix_timer_count; i++) {
		struct parasite_posix_timer *p = &args->posix_timers[i];

		sys(__NR_timer_gettime, p->id, (long)&p->when, 0, 0, 0);
		p->overrun = sys(__NR_timer_getoverrun, p->id, 0, 0, 0, 0);
	}
}

static void mark(const struct parasite_args *args)
{
	if (args->marker_signal)
		sys(__NR_tgkill, sys(__NR_getpid, 0, 0, 0, 0, 0), sys(__NR_gettid, 0, 0, 0, 0, 0), args->marker_signal, 0, 0);
}

/* pcr takes the descriptor at the mark, or, where there is none, at the entry of close. */
static void make_uffd(struct parasite_args *args)
{
	args->result = sys(__NR_userfaultfd, O_CLOEXEC_UFFD, 0, 0, 0, 0);
	if (args->result < 0)
		return;
	mark(args);
	sys(__NR_close, args->result, 0, 0, 0, 0);
}

__attribute__((used)) void parasite_main(struct parasite_args *args)
{
	if (args->op == PARASITE_UFFD) {
		ask_altstack(args);
		make_uffd(args);
	} else if (args->op == PARASITE_MINCORE) {
		ask_altstack(args);
		args->result = sys(__NR_mincore, args->mincore_start, args->mincore_pages * 4096, (long)args->there, 0, 0);
	} else if (args->op == PARASITE_COPY) {
		ask_altstack(args);
		copy_make(args);
	} else {
		ask_thread(args);
		if (args->want_task)
			ask_task(args);
		ask_timers(args);
	}
	args->done = 1;
	mark(args);
}
