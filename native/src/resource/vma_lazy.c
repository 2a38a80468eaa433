/* SPDX-License-Identifier: MIT */
#include "resource/vma_lazy.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/page_reader.h"
#include "resource/vma.h"
#include "tree/restore_tree.h"

/* Whether userfaultfd can bring the pages of the mapping. */
static bool can_be_lazy(const VmaEntry *e)
{
	return e->status & VMA_ANON_PRIVATE && e->flags & MAP_PRIVATE && !(e->flags & MAP_HUGETLB);
}

/* Whether it is better read at once, if it is there. A fork during the filling would find pages where the program wants zeros; locked memory
 * is locked for not having to wait for it. */
static bool wants_eager(const VmaEntry *e)
{
	return e->flags & MAP_LOCKED || (e->has_madv && e->madv >> MADV_WIPEONFORK & 1);
}

/* A piece of a run that lies in one mapping. Returns whether the daemon gets it, -1 with the error set. */
static int leave(const struct restore_task *task, struct restore_vma *vma, const struct page_run *run, uint64_t address)
{
	bool can = can_be_lazy(vma->entry);

	if (run->absent && !can)
		return err_set(ENODATA, "%s: the page at 0x%" PRIx64 " is not in the images, and the mapping is of a kind that cannot be filled in later",
			       task->pages->name, address);
	return run->lazy && can && (run->absent || !wants_eager(vma->entry));
}

int vmas_plan_lazy(struct restore_task *task)
{
	struct page_runs *runs = task->pages;
	struct page_run *kept = NULL;
	size_t count = 0, room = 0, v = 0;
	uint64_t size = 0;

	for (size_t i = 0; i < runs->count; i++) {
		const struct page_run *r = &runs->runs[i];
		uint64_t at = r->address, end = r->address + r->size;

		while (at < end) {
			struct restore_vma *vma;
			uint64_t stop = end;
			struct page_run *to;
			int left = 0;

			while (v < task->vma_count && task->vmas[v].entry->end <= at)
				v++;
			vma = v < task->vma_count ? &task->vmas[v] : NULL;
			/* Between: the kernel's own mappings. */
			if (vma && vma->entry->start > at) {
				stop = vma->entry->start < end ? vma->entry->start : end;
				vma = NULL;
			} else if (vma && vma->entry->end < end) {
				stop = vma->entry->end;
			}
			left = vma ? leave(task, vma, r, at) : 0;
			if (left < 0 || (!vma && r->absent)) {
				free(kept);
				return left < 0 ? -1 : err_set(ENODATA, "%s: the page at 0x%" PRIx64 " is not in the images", runs->name, at);
			}
			if (left) {
				task->lazy_count += !vma->lazy;
				vma->lazy = true;
			} else {
				to = array_push(&kept, &count, &room, sizeof(*kept));
				*to = *r;
				to->address = at;
				to->size = stop - at;
				to->offset += at - r->address;
				size += to->size;
			}
			at = stop;
		}
	}
	free(runs->runs);
	runs->runs = kept;
	runs->count = count;
	runs->room = room;
	runs->size = size;
	return 0;
}
