/* SPDX-License-Identifier: MIT
 *
 * The end of the task's ordinary life: the region with the restorer's blob, its arguments and stacks is laid out in a hole that is
 * free now and later, and entered.
 */
#include <errno.h>
#include <linux/rseq.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/creds.h"
#include "resource/mm.h"
#include "resource/page_reader.h"
#include "resource/rlimit.h"
#include "resource/sched.h"
#include "resource/seccomp.h"
#include "resource/signal.h"
#include "resource/timer.h"
#include "resource/vdso.h"
#include "resource/vma_restore.h"
#include "restorer_blob.h"
#include "tree/restore_tree.h"

#define STACK_SIZE (2 * PAGE)
#define RSEQ_REGISTERED_SIZE 32 /* glibc's first */

/* The region from its start: each part at its offset. */
struct layout {
	uint64_t shared, args, unmap, moves, vdso_moves, lazy, threads, signals, groups, posix_timers, filters, auxv, stacks, spare, size;
	size_t signal_count, group_count;
};

static size_t count_groups(const struct restore_task *task)
{
	size_t n = 0;

	for (size_t i = 0; i < task->thread_count; i++)
		if (task->threads[i].core->thread_core->creds)
			n += task->threads[i].core->thread_core->creds->n_groups;
	return n;
}

static size_t count_signals(const struct restore_task *task)
{
	size_t n = signal_queue_length(task->threads[0].core->tc->signals_s);

	for (size_t i = 0; i < task->thread_count; i++)
		n += signal_queue_length(task->threads[i].core->thread_core->signals_p);
	return n;
}

static uint64_t part(struct layout *l, uint64_t size)
{
	uint64_t at = l->size;

	l->size = ROUND_UP(l->size + size, 16);
	return at;
}

static struct layout plan(const struct restore *restore, const struct restore_task *task)
{
	const TaskCoreEntry *tc = task->threads[0].core->tc;
	const struct vdso_place *vdso = vdso_own();
	struct layout l = { 0 };

	l.signal_count = count_signals(task);
	l.group_count = count_groups(task);
	l.size = ROUND_UP(sizeof(restorer_blob), PAGE);
	l.shared = part(&l, ROUND_UP(sizeof(struct restorer_shared), PAGE));
	l.args = part(&l, sizeof(struct restorer_args));
	l.unmap = part(&l, (task->vma_count + 4) * sizeof(struct restorer_range));
	l.moves = part(&l, task->vma_count * sizeof(struct restorer_move));
	l.vdso_moves = part(&l, ARRAY_LEN(vdso->pieces) * sizeof(struct restorer_move));
	l.lazy = part(&l, task->lazy_count * sizeof(struct restorer_range));
	l.threads = part(&l, task->thread_count * sizeof(struct restorer_thread));
	l.signals = part(&l, l.signal_count * SIGINFO_BYTES);
	l.groups = part(&l, l.group_count * sizeof(uint32_t));
	l.posix_timers = part(&l, (tc->timers ? tc->timers->n_posix : 0) * sizeof(struct restorer_posix_timer));
	l.filters = part(&l, seccomp_size(restore, task));
	l.auxv = part(&l, task->mm->n_mm_saved_auxv * sizeof(uint64_t));
	l.size = ROUND_UP(l.size, PAGE);
	l.stacks = part(&l, task->thread_count * STACK_SIZE);
	l.size = ROUND_UP(l.size, PAGE);
	l.spare = part(&l, vdso->vdso_end - vdso->pieces[0]);
	return l;
}

static int compare_ranges(const void *a, const void *b)
{
	uint64_t x = ((const struct restorer_range *)a)->start, y = ((const struct restorer_range *)b)->start;

	return (x > y) - (x < y);
}

/* Everything that is not to be kept. */
static void fill_unmap(struct restorer_args *args, const struct restore_task *task)
{
	struct vdso_part vdso;
	auto_free struct restorer_range *keep = xzalloc((task->vma_count + 2) * sizeof(*keep));
	struct restorer_range *to = (void *)args->unmap;
	uint64_t at = 0;
	size_t n = 0;

	for (size_t i = 0; i < task->vma_count; i++) {
		const struct restore_vma *v = &task->vmas[i];

		keep[n++] = (struct restorer_range){ v->at, v->at + (v->entry->end - v->entry->start) };
	}
	keep[n++] = (struct restorer_range){ args->region, args->region + args->region_size };
	if (vdso_kept(task, &vdso))
		keep[n++] = (struct restorer_range){ vdso.start, vdso.end };
	qsort(keep, n, sizeof(*keep), compare_ranges);
	for (size_t i = 0; i < n; i++) {
		if (keep[i].start > at)
			to[args->unmap_count++] = (struct restorer_range){ at, keep[i].start };
		at = keep[i].end;
	}
	if (at < TASK_SIZE)
		to[args->unmap_count++] = (struct restorer_range){ at, TASK_SIZE };
}

static void fill_moves(struct restorer_args *args, const struct restore_task *task, uint64_t spare)
{
	const struct vdso_place *own = vdso_own();
	struct restorer_move *to = (void *)args->moves;
	struct vdso_part vdso;

	for (size_t i = 0; i < task->vma_count; i++) {
		const struct restore_vma *v = &task->vmas[i];

		if (v->at != v->entry->start)
			to[args->move_count++] = (struct restorer_move){ v->at, v->entry->start, v->entry->end - v->entry->start };
	}
	if (!vdso_kept(task, &vdso))
		return;
	to = (void *)args->vdso_moves;
	for (int i = 0; i < vdso.piece_count; i++) {
		uint64_t end = i + 1 < vdso.piece_count ? own->pieces[i + 1] : vdso.end;

		to[args->vdso_move_count++] =
			(struct restorer_move){ own->pieces[i], vdso.target + (own->pieces[i] - vdso.start), end - own->pieces[i] };
	}
	if (vdso.target < vdso.end && vdso.target + (vdso.end - vdso.start) > vdso.start && vdso.target != vdso.start)
		args->vdso_spare = spare;
	to = (void *)args->moves;
	for (uint64_t i = 0; i < args->move_count; i++)
		if (to[i].to < vdso.end && to[i].to + to[i].size > vdso.start)
			args->vdso_spare = spare;
}

static void fill_lazy(struct restorer_args *args, const struct restore_task *task)
{
	struct restorer_range *to = (void *)args->lazy;

	for (size_t i = 0; i < task->vma_count; i++)
		if (task->vmas[i].lazy)
			to[args->lazy_count++] = (struct restorer_range){ task->vmas[i].entry->start, task->vmas[i].entry->end };
}

static void fill_tls(struct restorer_thread *t, const ThreadInfoX86 *info)
{
	for (size_t i = 0; i < info->n_tls && t->tls_count < ARRAY_LEN(t->tls); i++) {
		const UserDescT *d = info->tls[i];

		if (d->seg_not_present && !d->base_addr && !d->limit)
			continue;
		/* struct user_desc, asm/ldt.h */
		t->tls[t->tls_count++] = (struct restorer_user_desc){
			d->entry_number, d->base_addr, d->limit,
			d->seg_32bit | (d->contents_h << 2 | d->contents_l << 1) | d->read_exec_only << 3 | d->limit_in_pages << 4 |
				d->seg_not_present << 5 | d->usable << 6,
		};
	}
}

static void fill_thread(struct restorer_thread *t, const struct restore_task *task, size_t index)
{
	const CoreEntry *core = task->threads[index].core;
	const ThreadCoreEntry *tce = core->thread_core;
	const char *comm = index == 0 ? core->tc->comm : tce->comm ? tce->comm : task->threads[0].core->tc->comm;

	t->tid = task->threads[index].tid;
	t->clear_tid_address = core->thread_info->clear_tid_addr;
	t->robust_list = tce->futex_rla;
	t->robust_list_len = tce->futex_rla_len;
	if (tce->rseq_entry) {
		t->rseq = tce->rseq_entry->rseq_abi_pointer;
		t->rseq_size = tce->rseq_entry->rseq_abi_size;
		t->rseq_signature = tce->rseq_entry->signature;
	}
	if (tce->sas && tce->sas->ss_size && !(tce->sas->ss_flags & SS_DISABLE)) {
		t->altstack_sp = tce->sas->ss_sp;
		t->altstack_size = tce->sas->ss_size;
		t->altstack_flags = tce->sas->ss_flags & ~SS_ONSTACK;
	}
	t->pdeath_sig = tce->has_pdeath_sig ? tce->pdeath_sig : 0;
	strncpy(t->comm, comm, sizeof(t->comm) - 1);
	fill_tls(t, core->thread_info);
	sched_fill(t, tce);
}

static void fill_threads(struct restorer_args *args, const struct restore *restore, const struct restore_task *task, const struct layout *l)
{
	struct restorer_thread *threads = (void *)args->threads;
	uint32_t *groups = (void *)(args->region + l->groups);
	char *signals = (char *)args->signals, *filters = (char *)(args->region + l->filters);
	uint32_t next = signal_queue_length(task->threads[0].core->tc->signals_s);

	signal_queue_fill(signals, task->threads[0].core->tc->signals_s);
	args->shared_signal_count = next;
	args->thread_count = task->thread_count;
	for (size_t i = 0; i < task->thread_count; i++) {
		const ThreadCoreEntry *tce = task->threads[i].core->thread_core;

		fill_thread(&threads[i], task, i);
		threads[i].stack_top = args->region + l->stacks + (i + 1) * STACK_SIZE;
		threads[i].signal_first = next;
		threads[i].signal_count = signal_queue_length(tce->signals_p);
		signal_queue_fill(signals + next * SIGINFO_BYTES, tce->signals_p);
		next += threads[i].signal_count;
		creds_fill(&threads[i].creds, tce->creds, groups);
		groups += threads[i].creds.group_count;
		seccomp_fill(restore, task, i, &threads[i], &filters);
	}
}

/* The kernel would write to the old area on the way out of a preemption, when it is long unmapped. */
static void unregister_rseq(void)
{
	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
			__rseq_size < RSEQ_REGISTERED_SIZE ? RSEQ_REGISTERED_SIZE : __rseq_size, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

int restore_enter_blob(struct restore *restore, struct restore_task *task)
{
	const TaskCoreEntry *tc = task->threads[0].core->tc;
	struct restore_slot *slot = &restore->slots[restore_index(restore, task)];
	struct layout l = plan(restore, task);
	char *region = vmas_reserve_hole(task, l.size);
	struct restorer_args *args;
	struct restorer_thread *leader;

	if (!region)
		return -1;
	memcpy(region, restorer_blob, sizeof(restorer_blob));
	if (mremap(restore->shared, 0, ROUND_UP(sizeof(*restore->shared), PAGE), MREMAP_MAYMOVE | MREMAP_FIXED, region + l.shared) == MAP_FAILED)
		return err_errno("cannot map the page shared with pcr");
	args = (void *)(region + l.args);
	args->region = (uint64_t)region;
	args->region_size = l.size;
	args->shared = args->region + l.shared;
	args->pid = task->pid;
	args->unmap = args->region + l.unmap;
	args->moves = args->region + l.moves;
	args->vdso_moves = args->region + l.vdso_moves;
	args->lazy = args->region + l.lazy;
	args->uffd = task->uffd_slot;
	args->threads = args->region + l.threads;
	args->signals = args->region + l.signals;
	mm_fill(args, task, (void *)(region + l.auxv));
	args->mm.exe_fd = task->exe->slot;
	args->exe_fd = task->exe->slot;
	args->log_fd = restore->log_slot;
	args->personality = tc->personality;
	args->mlock_future = tc->has_pcr_mlock_future && tc->pcr_mlock_future;
	args->mdwe = tc->has_pcr_mdwe ? tc->pcr_mdwe : 0;
	args->memory_merge = tc->has_pcr_memory_merge && tc->pcr_memory_merge;
	args->subreaper = tc->has_child_subreaper && tc->child_subreaper;
	args->membarrier = tc->has_membarrier_registration_mask ? tc->membarrier_registration_mask : 0;
	rlimits_fill(args, tc);
	timers_fill(args, tc, (void *)(region + l.posix_timers));
	fill_threads(args, restore, task, &l);
	fill_unmap(args, task);
	fill_moves(args, task, args->region + l.spare);
	fill_lazy(args, task);
	slot->region = args->region;
	slot->region_size = l.size;
	pr_debug("restorer of %zu bytes at %p, %lu ranges to unmap, %lu mappings to move", (size_t)l.size, (void *)region,
		 (unsigned long)args->unmap_count, (unsigned long)args->move_count);
	unregister_rseq();
	leader = (void *)args->threads;
	__asm__ volatile("mov %0, %%rsp\n"
			 "	jmp *%1\n"
			 :
			 : "r"(leader->stack_top), "r"(region), "D"(args)
			 : "memory");
	__builtin_unreachable();
}
