/* SPDX-License-Identifier: MIT */
#include "resource/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ptrace.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/seccomp.pb-c.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#ifndef PTRACE_SECCOMP_GET_METADATA
#define PTRACE_SECCOMP_GET_METADATA 0x420d
#endif
#ifndef PTRACE_O_SUSPEND_SECCOMP
#define PTRACE_O_SUSPEND_SECCOMP (1 << 21)
#endif
#define INSN_SIZE sizeof(struct sock_filter)

/* linux/ptrace.h, which does not go with sys/ptrace.h */
struct metadata {
	uint64_t filter_off, flags;
};

/* --- dump --- */

static SeccompEntry all = SECCOMP_ENTRY__INIT; /* of the whole tree */
static size_t all_room;

static void read_status(const char *status, int *mode, int *count)
{
	const char *value = status ? status_field(status, "Seccomp") : NULL, *filters = status ? status_field(status, "Seccomp_filters") : NULL;

	*mode = value ? atoi(value) : 0;
	*count = filters ? atoi(filters) : 0;
}

int seccomp_look(const struct task *task, struct thread *thread, const char *status)
{
	static int own_mode = -1, own_count;
	int mode, count;

	if (own_mode < 0) {
		auto_free char *own = proc_read(getpid(), "status", NULL);

		read_status(own, &own_mode, &own_count);
	}
	read_status(status, &mode, &count);
	if (mode == SECCOMP_MODE_DISABLED || (mode == own_mode && count == own_count))
		return 0;
	if (own_mode != SECCOMP_MODE_DISABLED)
		return err_set(EPERM, "pid %d: thread %d runs under seccomp, which a pcr that runs under seccomp itself (%d filters) cannot read", task->pid,
			       thread->tid, own_count);
	thread->seccomp_mode = mode;
	thread->seccomp_count = count;
	if (ptrace(PTRACE_SETOPTIONS, thread->tid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_SUSPEND_SECCOMP) < 0)
		return err_errno("pid %d: cannot suspend seccomp of thread %d (takes CAP_SYS_ADMIN)", task->pid, thread->tid);
	return 0;
}

/* Index in `all` of this filter with prev (-1 for none), which in the images is the filter that was installed next; a new one when there
 * is none like it. */
static long intern(const struct sock_filter *code, size_t bytes, long prev, uint32_t flags)
{
	SeccompFilter *f;

	for (size_t i = 0; i < all.n_seccomp_filters; i++) {
		f = all.seccomp_filters[i];
		if (f->filter.len == bytes && f->flags == flags && (f->has_prev ? (long)f->prev : -1) == prev && !memcmp(f->filter.data, code, bytes))
			return i;
	}
	f = xzalloc(sizeof(*f));
	seccomp_filter__init(f);
	f->filter.len = bytes;
	f->filter.data = xzalloc(bytes);
	memcpy(f->filter.data, code, bytes);
	f->has_flags = true;
	f->flags = flags;
	f->has_prev = prev >= 0;
	f->prev = prev >= 0 ? prev : 0;
	*(SeccompFilter **)array_push(&all.seccomp_filters, &all.n_seccomp_filters, &all_room, sizeof(f)) = f;
	return all.n_seccomp_filters - 1;
}

/* For the kernel the oldest filter has number 0; the images begin with the newest. Returns the index of the oldest or -1 with the error set. */
static long read_chain(const struct task *task, const struct thread *thread, uint32_t flags)
{
	long last = -1;

	for (int i = thread->seccomp_count - 1; i >= 0; i--) {
		struct sock_filter code[BPF_MAXINSNS];
		struct metadata meta = { .filter_off = i };
		long count = ptrace(PTRACE_SECCOMP_GET_FILTER, thread->tid, i, code);

		if (count < 0)
			return err_errno("pid %d: cannot read seccomp filter %d of thread %d%s", task->pid, i, thread->tid,
					 errno == EMEDIUMTYPE ? " (it is no classic BPF program)" : "");
		if (ptrace(PTRACE_SECCOMP_GET_METADATA, thread->tid, sizeof(meta), &meta) < 0)
			meta.flags = 0;
		last = intern(code, count * INSN_SIZE, last, flags | meta.flags);
	}
	return last;
}

int seccomp_collect(struct task *task)
{
	/* With TSYNC a restored leader would get filters that may not let it end again. */
	bool filters = false, same = !task->leader_exited;

	for (size_t i = 0; i < task->thread_count; i++) {
		const struct thread *t = &task->threads[i];

		filters |= t->seccomp_mode == SECCOMP_MODE_FILTER;
		same &= t->seccomp_mode == SECCOMP_MODE_FILTER && t->seccomp_count == task->threads[0].seccomp_count;
	}
	if (!filters)
		return 0;
	for (int turn = same ? 1 : 0; turn >= 0; turn--) {
		size_t before = all.n_seccomp_filters;

		for (size_t i = 0; i < task->thread_count; i++) {
			struct thread *t = &task->threads[i];

			if (t->seccomp_mode != SECCOMP_MODE_FILTER)
				continue;
			t->seccomp_filter = read_chain(task, t, turn ? SECCOMP_FILTER_FLAG_TSYNC : 0);
			if (t->seccomp_filter < 0)
				return -1;
			same &= t->seccomp_filter == task->threads[0].seccomp_filter;
		}
		if (turn && same) {
			/* The leader's, installed with TSYNC, become those of all. */
			for (size_t i = 1; i < task->thread_count; i++)
				task->threads[i].seccomp_mode = SECCOMP_MODE_DISABLED;
			return 0;
		}
		if (turn)
			while (all.n_seccomp_filters > before)
				seccomp_filter__free_unpacked(all.seccomp_filters[--all.n_seccomp_filters], NULL);
	}
	return 0;
}

void seccomp_dump(const struct thread *thread, ThreadCoreEntry *e)
{
	if (thread->seccomp_mode == SECCOMP_MODE_DISABLED)
		return;
	e->has_seccomp_mode = true;
	e->seccomp_mode = thread->seccomp_mode == SECCOMP_MODE_STRICT ? SECCOMP_MODE__strict : SECCOMP_MODE__filter;
	if (thread->seccomp_mode == SECCOMP_MODE_FILTER) {
		e->has_seccomp_filter = true;
		e->seccomp_filter = thread->seccomp_filter;
	}
}

int seccomp_dump_end(struct dump *dump)
{
	auto_img *img = img_create(dump->dirfd, IMG_SECCOMP, 0);

	return img ? img_write(img, &all.base) : -1;
}

void seccomp_forget(void)
{
	for (size_t i = 0; i < all.n_seccomp_filters; i++)
		seccomp_filter__free_unpacked(all.seccomp_filters[i], NULL);
	free(all.seccomp_filters);
	all = (SeccompEntry)SECCOMP_ENTRY__INIT;
	all_room = 0;
}

/* --- restore --- */

/* Mode and oldest filter of a thread; images before CRIU 3.13 have them in the process's part. */
static int mode_of(const struct restore_task *task, size_t index, uint32_t *filter)
{
	const CoreEntry *core = task->threads[index].core;
	const TaskCoreEntry *tc = task->threads[0].core->tc;

	if (core->thread_core && core->thread_core->has_seccomp_mode) {
		*filter = core->thread_core->seccomp_filter;
		return core->thread_core->seccomp_mode;
	}
	if (tc && tc->has_old_seccomp_mode) {
		*filter = tc->old_seccomp_filter;
		return tc->old_seccomp_mode;
	}
	return SECCOMP_MODE__disabled;
}

static int check_filters(const SeccompEntry *e)
{
	for (size_t i = 0; i < e->n_seccomp_filters; i++) {
		const SeccompFilter *f = e->seccomp_filters[i];

		if (!f->filter.len || f->filter.len % INSN_SIZE || f->filter.len > BPF_MAXINSNS * INSN_SIZE)
			return err_set(EINVAL, "seccomp.img: filter %zu has %zu bytes", i, f->filter.len);
		/* so no chain is a ring */
		if (f->has_prev && f->prev >= i)
			return err_set(EINVAL, "seccomp.img: filter %zu stands on filter %u, which is not in front of it", i, f->prev);
	}
	return 0;
}

int seccomp_read(struct restore *restore)
{
	auto_img *img = NULL;

	for (size_t i = 0; i < restore->task_count; i++) {
		const struct restore_task *task = &restore->tasks[i];

		for (size_t t = 0; t < task->thread_count && !task->zombie && !task->helper; t++) {
			uint32_t filter;
			int mode = mode_of(task, t, &filter);

			restore->has_seccomp |= mode != SECCOMP_MODE__disabled;
			if (mode != SECCOMP_MODE__filter)
				continue;
			if (!img && (!(img = img_open(restore->dirfd, IMG_SECCOMP, 0, false)) ||
				     img_read_one(img, &seccomp_entry__descriptor, &restore->seccomp) < 0 || check_filters(restore->seccomp) < 0))
				return err_context("pid %d", task->pid);
			if (filter >= restore->seccomp->n_seccomp_filters)
				return err_set(EINVAL, "seccomp.img: thread %d has filter %u, which is not there", task->threads[t].tid, filter);
		}
	}
	return 0;
}

/* Which was installed after f. */
static const SeccompFilter *younger(const struct restore *restore, const SeccompFilter *f)
{
	return f->has_prev ? restore->seccomp->seccomp_filters[f->prev] : NULL;
}

size_t seccomp_size(const struct restore *restore, const struct restore_task *task)
{
	size_t size = 0;

	for (size_t t = 0; t < task->thread_count; t++) {
		uint32_t filter;

		if (mode_of(task, t, &filter) != SECCOMP_MODE__filter)
			continue;
		for (const SeccompFilter *f = restore->seccomp->seccomp_filters[filter]; f; f = younger(restore, f))
			size += sizeof(struct restorer_filter) + f->filter.len;
	}
	return size;
}

void seccomp_fill(const struct restore *restore, const struct restore_task *task, size_t index, struct restorer_thread *to, char **room)
{
	struct restorer_filter *chain = (void *)*room;
	uint32_t filter, n = 0;

	to->seccomp_mode = mode_of(task, index, &filter);
	if (to->seccomp_mode != SECCOMP_MODE__filter)
		return;
	for (const SeccompFilter *f = restore->seccomp->seccomp_filters[filter]; f; f = younger(restore, f))
		to->filter_count++;
	to->filters = (uint64_t)chain;
	*room += to->filter_count * sizeof(*chain);
	for (const SeccompFilter *f = restore->seccomp->seccomp_filters[filter]; f; f = younger(restore, f)) {
		chain[n++] = (struct restorer_filter){ f->filter.len / INSN_SIZE, f->has_flags ? f->flags : 0, (uint64_t)*room };
		memcpy(*room, f->filter.data, f->filter.len);
		*room += f->filter.len;
	}
}
