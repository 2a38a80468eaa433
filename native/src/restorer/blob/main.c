/* SPDX-License-Identifier: MIT
 *
 * The leader's way through the blob: memory into its place, threads, then what every thread does (thread.c).
 */
#include <linux/ioctl.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sys.h"

#define EEXIST 17

/* For a pid that a thread or orphan on its way out still holds. */
#define TID_TRIES 3000
#define TID_NAP_NS 1000000

static void unmap_old(struct restorer_args *args)
{
	const struct restorer_range *r = (const void *)args->unmap;

	for (uint64_t i = 0; i < args->unmap_count; i++) {
		long e = sys2(SYS_munmap, r[i].start, r[i].end - r[i].start);

		if (e < 0)
			fail(args, 0, "cannot unmap the restorer's own memory at", r[i].start, e);
	}
}

static void move(struct restorer_args *args, uint64_t from, uint64_t to, uint64_t size, const char *what)
{
	long e;

	if (from == to)
		return;
	e = sys5(SYS_mremap, from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (e < 0 || (uint64_t)e != to)
		fail(args, 0, what, to, e < 0 ? e : -EEXIST);
}

static void move_memory(struct restorer_args *args)
{
	const struct restorer_move *m = (const void *)args->vdso_moves;
	int64_t away = args->vdso_spare ? (int64_t)(args->vdso_spare - m[0].from) : 0;

	/* Out of the way first, where memory goes over the place that the vDSO has now, or the vDSO over itself. */
	for (uint64_t i = 0; away && i < args->vdso_move_count; i++)
		move(args, m[i].from, m[i].from + away, m[i].size, "cannot move the vDSO to");
	m = (const void *)args->moves;
	for (uint64_t i = 0; i < args->move_count; i++)
		move(args, m[i].from, m[i].to, m[i].size, "cannot move memory to");
	m = (const void *)args->vdso_moves;
	for (uint64_t i = 0; i < args->vdso_move_count; i++)
		move(args, m[i].from + away, m[i].to, m[i].size, "cannot move the vDSO to");
}

/* From here on whoever touches what is not there yet waits for the lazy-pages daemon. */
static void register_lazy(struct restorer_args *args)
{
	const struct restorer_range *r = (const void *)args->lazy;

	if (!args->lazy_count)
		return;
	for (uint64_t i = 0; i < args->lazy_count; i++) {
		struct uffdio_register range = { { r[i].start, r[i].end - r[i].start }, UFFDIO_REGISTER_MODE_MISSING, 0 };
		long e = sys3(SYS_ioctl, args->uffd, UFFDIO_REGISTER, &range);

		if (e < 0)
			fail(args, 0, "cannot leave memory to the lazy-pages daemon (UFFDIO_REGISTER) at", r[i].start, e);
	}
	sys1(SYS_close, args->uffd);
}

static void thread_main(struct restorer_args *args, struct restorer_thread *thread)
{
	struct restorer_shared *shared = (void *)args->shared;

	futex_add(&shared->parked);
	futex_add(&shared->event);
	for (;;) {
		uint32_t stage = __atomic_load_n(&shared->stage, __ATOMIC_SEQ_CST);

		if (stage == STAGE_SEIZED)
			break;
		if (stage == STAGE_ABORT)
			for (;;)
				futex_wait(&shared->never, 0);
		futex_wait(&shared->stage, stage);
	}
	thread_finish(args, thread, thread->tid == args->pid);
	futex_add(&shared->finished);
	futex_add(&shared->event);
	/* The coordinator stops us here and gives us our registers. */
	for (;;)
		futex_wait(&shared->never, 0);
}

static long clone_thread(struct clone_args *clone, struct restorer_args *args, struct restorer_thread *thread)
{
	register uint64_t r12 __asm__("r12") = (uint64_t)args;
	register uint64_t r13 __asm__("r13") = (uint64_t)thread;
	register uint64_t r14 __asm__("r14") = (uint64_t)thread_main;
	long result;

	__asm__ volatile("syscall\n"
			 "	test %%eax, %%eax\n"
			 "	jnz 1f\n"
			 "	xor %%ebp, %%ebp\n"
			 "	mov %%r12, %%rdi\n"
			 "	mov %%r13, %%rsi\n"
			 "	call *%%r14\n"
			 "	ud2\n"
			 "1:\n"
			 : "=a"(result)
			 : "a"(SYS_clone3), "D"(clone), "S"(sizeof(*clone)), "r"(r12), "r"(r13), "r"(r14)
			 : "rcx", "r11", "memory");
	return result;
}

static void create_threads(struct restorer_args *args)
{
	struct restorer_thread *threads = (void *)args->threads;

	for (uint64_t i = 1; i < args->thread_count; i++) {
		struct restorer_thread *t = &threads[i];
		int32_t tid = t->tid;
		struct clone_args clone = {
			.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
			/* the size only tells the kernel where the top is */
			.stack = t->stack_top - 4096,
			.stack_size = 4096,
			.set_tid = (uint64_t)&tid,
			.set_tid_size = 1,
		};
		long e;

		for (int tries = 0; (e = clone_thread(&clone, args, t)) == -EEXIST && tries < TID_TRIES; tries++) {
			uint64_t nap[2] = { 0, TID_NAP_NS };

			sys2(SYS_nanosleep, nap, 0);
		}
		if (e < 0)
			fail(args, tid, e == -EEXIST ? "its tid is taken by another task" : "cannot create the thread", 0, e);
	}
}

void restorer_main(struct restorer_args *args)
{
	long e;

	unmap_old(args);
	move_memory(args);
	register_lazy(args);
	e = sys5(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &args->mm, sizeof(args->mm), 0);
	if (e < 0)
		fail(args, 0, "cannot set the mm fields (PR_SET_MM_MAP: code, data, heap, stack, arguments, auxv, executable)", 0, e);
	if (args->personality) {
		e = sys1(SYS_personality, args->personality);
		if (e < 0)
			fail(args, 0, "cannot set personality", args->personality, e);
	}
	for (uint32_t bit = 1; bit && bit <= args->membarrier; bit <<= 1) {
		if (!(args->membarrier & bit))
			continue;
		e = sys3(SYS_membarrier, bit, 0, 0);
		if (e < 0)
			fail(args, 0, "cannot register for membarrier command", bit, e);
	}
	create_threads(args);
	thread_main(args, (struct restorer_thread *)args->threads);
}
