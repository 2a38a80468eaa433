/* SPDX-License-Identifier: MIT */
#include "resource/vma_inherit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/page_reader.h"
#include "resource/vma.h"
#include "resource/vma_restore.h"
#include "tree/restore_tree.h"

/* What is read at a time to be compared with the parent's pages. */
#define WINDOW (16UL << 20)

static uint64_t higher(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- plan --- */

/* Whose memory the task is born with: a helper and a zombie have their maker's. */
static const struct restore_task *memory_source(const struct restore_task *task)
{
	const struct restore_task *t = task->maker;

	while (t && (t->helper || t->zombie))
		t = t->maker;
	return t;
}

/* Private memory with contents that no late file is behind. Of huge pages there may be none to spare for comparing. */
static bool may_share(const struct restore *restore, const struct restore_vma *v)
{
	if (!v->has_pages || v->lazy || v->shmem || !(v->entry->flags & MAP_PRIVATE) || v->entry->status & VMA_AREA_AIORING || v->entry->flags & MAP_HUGETLB)
		return false;
	return !v->file || !v->file->kind->late || !v->file->kind->late(restore, v->file->entry);
}

static bool same_kind(const struct restore_vma *v, const struct restore_vma *from)
{
	const uint64_t page_advice = 1ULL << MADV_HUGEPAGE | 1ULL << MADV_NOHUGEPAGE;
	const uint32_t flags = MAP_PRIVATE | MAP_GROWSDOWN | MAP_NORESERVE | MAP_HUGETLB;
	const VmaEntry *a = v->entry, *b = from->entry;

	if (v->file != from->file || (a->flags ^ b->flags) & flags || ((a->has_madv ? a->madv : 0) ^ (b->has_madv ? b->madv : 0)) & page_advice)
		return false;
	return !v->file || a->pgoff - a->start == b->pgoff - b->start;
}

void vmas_plan_inherit(struct restore *restore)
{
	for (size_t i = 0; i < restore->task_count; i++) {
		struct restore_task *task = &restore->tasks[i];
		const struct restore_task *source = memory_source(task);
		size_t w = 0;

		if (!source)
			continue;
		for (size_t j = 0; j < task->vma_count; j++) {
			struct restore_vma *v = &task->vmas[j], *from;
			uint64_t start = v->entry->start, end = v->entry->end;

			while (w < source->vma_count && source->vmas[w].entry->end <= start)
				w++;
			if (w == source->vma_count)
				break;
			from = &source->vmas[w];
			/* A part of the parent's mapping, or one that has grown since. */
			if (from->entry->start > start || (from->entry->end < end && from->entry->start != start))
				continue;
			if (!may_share(restore, v) || !may_share(restore, from) || !same_kind(v, from))
				continue;
			v->from = from;
			from->wanted = true;
		}
	}
}

/* --- in the task --- */

/* Where the maker put a mapping that is not in its own place may be where this task has another. */
static bool place_is_free(const struct restore_task *task, const struct restore_vma *from)
{
	uint64_t start = from->at, end = from->at + (from->entry->end - from->entry->start);

	for (size_t i = 0; i < task->mm->n_vmas; i++)
		if (task->mm->vmas[i]->start < end && task->mm->vmas[i]->end > start)
			return false;
	return true;
}

/* Whether the maker's mapping is there and of use as it is. */
static bool can_take(const struct restore_task *task, const struct restore_vma *v)
{
	const struct restore_vma *from = v->from;

	if (!from->at)
		return false;
	if (from->at == from->entry->start)
		return true;
	return v->entry->start == from->entry->start && v->entry->end == from->entry->end && place_is_free(task, from);
}

static int drop(uint64_t start, uint64_t end)
{
	if (start < end && munmap((void *)start, end - start) < 0)
		return err_errno("cannot unmap its parent's memory at 0x%" PRIx64, start);
	return 0;
}

/* Keeps of the maker's mappings what this task takes over. */
static int take(struct restore_task *task, const struct restore_task *source)
{
	size_t j = 0;

	for (size_t w = 0; w < source->vma_count; w++) {
		const struct restore_vma *from = &source->vmas[w];
		uint64_t at = from->at, end = at + (from->entry->end - from->entry->start), offset = at - from->entry->start;

		if (!at)
			continue;
		while (j < task->vma_count && task->vmas[j].entry->end <= from->entry->start)
			j++;
		for (; j < task->vma_count && task->vmas[j].entry->start < from->entry->end; j++) {
			struct restore_vma *v = &task->vmas[j];
			uint64_t v_end = lower(v->entry->end, from->entry->end) + offset;

			if (v->from != from)
				continue;
			if (!can_take(task, v)) {
				v->from = NULL;
				continue;
			}
			if (drop(at, v->entry->start + offset) < 0)
				return -1;
			v->at = v->entry->start + offset;
			at = v_end;
		}
		if (drop(at, end) < 0)
			return -1;
		/* The last one may reach into the next of the maker's. */
		if (j)
			j--;
	}
	for (size_t i = 0; i < task->vma_count; i++) {
		struct restore_vma *v = &task->vmas[i];
		uint64_t size = v->entry->end - v->entry->start, old;

		if (!v->from)
			continue;
		if (!v->at) {
			v->from = NULL;
			continue;
		}
		old = lower(v->entry->end, v->from->entry->end) - v->entry->start;
		if (old < size && mremap((void *)v->at, old, size, 0) == MAP_FAILED) {
			/* Its place is taken: it comes about like any other. */
			if (drop(v->at, v->at + old) < 0)
				return -1;
			v->at = 0;
			v->from = NULL;
		}
	}
	return 0;
}

/* What was read to be compared. */
struct window {
	struct restore_task *task;
	size_t vma;
	uint64_t resume; /* pages below are done */
	char *memory;
	uint64_t used;
	struct compared {
		char *now, *image;
		uint64_t size;
	} *pieces;
	size_t count, room;
	bool full;
};

static void *into_window(void *arg, uint64_t address, uint64_t *size)
{
	struct window *w = arg;
	const struct restore_task *task = w->task;
	const struct restore_vma *v;
	struct compared *piece;
	uint64_t end;

	if (address < w->resume) {
		*size = lower(*size, w->resume - address);
		return NULL;
	}
	if (w->full)
		return NULL;
	while (w->vma < task->vma_count && (!task->vmas[w->vma].from || task->vmas[w->vma].loaded || task->vmas[w->vma].entry->end <= address))
		w->vma++;
	if (w->vma == task->vma_count)
		return NULL;
	v = &task->vmas[w->vma];
	if (address < v->entry->start) {
		*size = lower(*size, v->entry->start - address);
		return NULL;
	}
	end = lower(v->entry->end, v->from->entry->end);
	if (address >= end) {
		*size = lower(*size, v->entry->end - address);
		return NULL;
	}
	*size = lower(lower(*size, end - address), WINDOW - w->used);
	piece = array_push(&w->pieces, &w->count, &w->room, sizeof(*w->pieces));
	*piece = (struct compared){ (char *)v->at + (address - v->entry->start), w->memory + w->used, *size };
	w->used += *size;
	if (w->used == WINDOW) {
		w->full = true;
		w->resume = address + *size;
	}
	return piece->image;
}

/* Writes only the pages that differ, for a write ends the sharing. */
static int load_different(struct restore *restore, struct restore_task *task)
{
	struct window w = { .task = task };
	int result = 0;

	w.memory = mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w.memory == MAP_FAILED)
		return err_errno("cannot get memory to compare pages in");
	do {
		w.vma = w.used = w.count = 0;
		w.full = false;
		result = page_runs_load(task->pages, restore->dirfd, into_window, &w);
		for (size_t i = 0; i < w.count && result == 0; i++)
			for (uint64_t at = 0; at < w.pieces[i].size; at += PAGE)
				if (memcmp(w.pieces[i].now + at, w.pieces[i].image + at, PAGE))
					memcpy(w.pieces[i].now + at, w.pieces[i].image + at, PAGE);
	} while (w.full && result == 0);
	munmap(w.memory, WINDOW);
	free(w.pieces);
	return result;
}

/* Pages that the parent has and the child has not: given back, or left out of its image for being zero or the file's. */
static int drop_surplus(const struct restore_task *task, const struct restore_task *source)
{
	const struct page_runs *own = task->pages, *theirs = source->pages;
	size_t o = 0, t = 0;

	for (size_t i = 0; i < task->vma_count; i++) {
		const struct restore_vma *v = &task->vmas[i];
		uint64_t end;

		if (!v->from || v->loaded)
			continue;
		end = lower(v->entry->end, v->from->entry->end);
		while (t < theirs->count && theirs->runs[t].address + theirs->runs[t].size <= v->entry->start)
			t++;
		for (; t < theirs->count && theirs->runs[t].address < end; t++) {
			uint64_t at = higher(theirs->runs[t].address, v->entry->start), last = lower(theirs->runs[t].address + theirs->runs[t].size, end);

			while (at < last) {
				uint64_t stop = last;

				while (o < own->count && own->runs[o].address + own->runs[o].size <= at)
					o++;
				if (o < own->count && own->runs[o].address <= at) {
					at = own->runs[o].address + own->runs[o].size;
					continue;
				}
				if (o < own->count)
					stop = lower(stop, own->runs[o].address);
				if (madvise((char *)v->at + (at - v->entry->start), stop - at, MADV_DONTNEED) < 0)
					return err_errno("cannot give back its parent's pages at 0x%" PRIx64, at);
				at = stop;
			}
		}
		/* The last run may reach into the next mapping. */
		if (t)
			t--;
	}
	return 0;
}

int vmas_inherit(struct restore *restore, struct restore_task *task)
{
	const struct restore_task *source = memory_source(task);
	bool any = false;

	if (source && take(task, source) < 0)
		return -1;
	if (vmas_map(restore, task, true) < 0)
		return -1;
	for (size_t i = 0; i < task->vma_count; i++)
		any = any || task->vmas[i].from;
	if (any && (drop_surplus(task, source) < 0 || load_different(restore, task) < 0))
		return -1;
	return vmas_load(restore, task);
}
