/* SPDX-License-Identifier: MIT */
#include "resource/pagemap_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/vma.h"
#include "tree/task.h"

/* The kernel's admin-guide/mm/pagemap.rst; linux/fs.h of 6.7. */
#ifndef PAGEMAP_SCAN
struct page_region {
	uint64_t start, end, categories;
};
struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_WPALLOWED (1 << 0)
#define PAGE_IS_WRITTEN (1 << 1)
#define PAGE_IS_FILE (1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#define PM_SCAN_WP_MATCHING (1 << 0)
#endif

#ifndef PAGE_IS_GUARD
#define PAGE_IS_GUARD (1 << 8)
#endif

#define PM_FILE (1ULL << 61)
#define PM_SWAP (1ULL << 62)
#define PM_PRESENT (1ULL << 63)
#define REGIONS 1024

static bool no_scan; /* the kernel has no PAGEMAP_SCAN */

/* Where the next call starts. walk_end alone does not do: a walk that filled the kernel's own buffer (512 regions) on the way and then
 * came to the end still says where that was (Linux 6.18, fs/proc/task_mmu.c), behind which all would be found twice. */
static uint64_t scan_goes_on(struct pm_scan_arg *scan, const struct page_region *regions, int n)
{
	uint64_t next = n > 0 && regions[n - 1].end > scan->walk_end ? regions[n - 1].end : scan->walk_end;

	scan->walk_end = 0;
	return next;
}

/* Mappings whose every page goes into the image. */
static bool is_whole(const struct vma *v)
{
	return v->kind == VMA_VDSO || v->kind == VMA_AIO;
}

/* Mappings of which the task's own pages do. */
static bool is_scanned(const struct vma *v)
{
	return v->kind != VMA_VVAR && v->kind != VMA_VSYSCALL && !(v->flags & MAP_SHARED) && !is_whole(v);
}

/* Adds [start, end), cut at the borders of mappings; *next: the mapping where the search goes on, addresses come ascending. */
static void add_pages(struct task *task, size_t *next, uint64_t start, uint64_t end, uint64_t categories)
{
	while (start < end) {
		const struct vma *v;
		struct page_range *r;
		uint64_t stop;

		while (*next < task->vma_count && task->vmas[*next].end <= start)
			++*next;
		if (*next == task->vma_count)
			return;
		v = &task->vmas[*next];
		stop = v->end < end ? v->end : end;
		if (v->start > start) {
			start = v->start < end ? v->start : end;
			continue;
		}
		if (is_scanned(v)) {
			r = array_push(&task->ranges.list, &task->ranges.count, &task->ranges.room, sizeof(*r));
			*r = (struct page_range){ .start = start, .end = stop, .vma = *next };
			/* What is not present in a file's mapping may be the mark that a page of ours was dropped: linux/swapops.h. */
			r->unwritten = v->tracked && !(categories & PAGE_IS_WRITTEN) && (v->kind == VMA_ANON || categories & PAGE_IS_PRESENT);
		}
		start = stop;
	}
}

/* Which mappings a walk looks at. */
enum which { ALL, TRACKED, UNTRACKED };

/* One walk over the whole address space. Returns 1 when the kernel has no PAGEMAP_SCAN. */
static int scan_new(struct task *task, int pagemap_fd, uint64_t end, bool guards, enum which which, bool arm)
{
	static struct page_region regions[REGIONS];
	uint64_t not = PAGE_IS_PFNZERO | PAGE_IS_FILE | (guards ? PAGE_IS_GUARD : 0) | (which == UNTRACKED ? PAGE_IS_WPALLOWED : 0);
	struct pm_scan_arg scan = {
		.size = sizeof(scan),
		.flags = arm ? PM_SCAN_WP_MATCHING : 0,
		.end = end,
		.vec = (uint64_t)regions,
		.vec_len = REGIONS,
		.category_inverted = not,
		.category_mask = not | (which == TRACKED ? PAGE_IS_WPALLOWED : 0),
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_PRESENT | (which == TRACKED ? PAGE_IS_WRITTEN : 0),
	};
	size_t next = 0;

	while (scan.start < end) {
		int n = ioctl(pagemap_fd, PAGEMAP_SCAN, &scan);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOTTY || (errno == EINVAL && !scan.start)))
			return 1;
		if (n < 0)
			return err_errno("pid %d: cannot scan pages at 0x%" PRIx64, task->pid, (uint64_t)scan.start);
		for (int i = 0; i < n; i++)
			add_pages(task, &next, regions[i].start, regions[i].end, regions[i].categories);
		scan.start = scan_goes_on(&scan, regions, n);
	}
	return 0;
}

/* The same from the pages' 64-bit entries. It does not tell the zero page: page_writer finds that by its contents. */
static int scan_old(struct task *task, int pagemap_fd, size_t index)
{
	const struct vma *v = &task->vmas[index];
	uint64_t entries[512], run = 0;
	bool open = false;

	for (uint64_t at = v->start; at < v->end;) {
		size_t n = (v->end - at) / PAGE < ARRAY_LEN(entries) ? (v->end - at) / PAGE : ARRAY_LEN(entries);

		if (pread(pagemap_fd, entries, n * 8, at / PAGE * 8) != (ssize_t)n * 8)
			return err_errno("pid %d: cannot read the page map at 0x%" PRIx64, task->pid, at);
		for (size_t i = 0; i < n; i++, at += PAGE) {
			bool ours = entries[i] & (PM_PRESENT | PM_SWAP) && !(entries[i] & PM_FILE);

			if (ours && !open)
				run = at;
			if (!ours && open)
				add_pages(task, &index, run, at, 0);
			open = ours;
		}
	}
	if (open)
		add_pages(task, &index, run, v->end, 0);
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct page_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

int pagemap_scan(struct task *task, pid_t of, bool arm)
{
	auto_fd pagemap_fd = proc_open(of, O_RDONLY, "pagemap");
	bool guards = false, tracked = arm, scanned = false;
	uint64_t end = 0;
	int result = 0;

	if (pagemap_fd < 0)
		return err_errno("pid %d: cannot open its page map", of);
	task->ranges.count = 0;
	for (size_t i = 0; i < task->vma_count; i++) {
		const struct vma *v = &task->vmas[i];

		guards |= v->guard_count > 0;
		tracked |= v->tracked;
		if (is_scanned(v))
			end = v->end;
		scanned |= is_scanned(v);
	}
	if (scanned && !no_scan)
		result = scan_new(task, pagemap_fd, end, guards, tracked ? TRACKED : ALL, arm);
	if (scanned && !no_scan && !result && tracked)
		result = scan_new(task, pagemap_fd, end, guards, UNTRACKED, false);
	if (result < 0)
		return -1;
	if (result == 1)
		no_scan = true;
	for (size_t i = 0; i < task->vma_count; i++) {
		const struct vma *v = &task->vmas[i];

		if (is_whole(v))
			*(struct page_range *)array_push(&task->ranges.list, &task->ranges.count, &task->ranges.room, sizeof(struct page_range)) =
				(struct page_range){ .start = v->start, .end = v->end, .vma = i };
		else if (no_scan && is_scanned(v) && scan_old(task, pagemap_fd, i) < 0)
			return -1;
	}
	for (size_t i = 1; i < task->ranges.count; i++)
		if (task->ranges.list[i].start < task->ranges.list[i - 1].start) {
			qsort(task->ranges.list, task->ranges.count, sizeof(*task->ranges.list), by_start);
			break;
		}
	return 0;
}

bool pagemap_scan_available(void)
{
	auto_fd fd = proc_open(getpid(), O_RDONLY, "pagemap");
	struct page_region region;
	struct pm_scan_arg scan = {
		.size = sizeof(scan),
		.start = PAGE,
		.end = 2 * PAGE,
		.vec = (uint64_t)&region,
		.vec_len = 1,
		.category_mask = PAGE_IS_WRITTEN | PAGE_IS_WPALLOWED,
		.return_mask = PAGE_IS_WRITTEN,
	};

	return fd >= 0 && ioctl(fd, PAGEMAP_SCAN, &scan) >= 0;
}

int pagemap_find_guards(struct task *task, struct vma *v)
{
	auto_fd fd = proc_open(task->live, O_RDONLY, "pagemap");
	struct page_region regions[64];
	struct pm_scan_arg scan = {
		.size = sizeof(scan),
		.start = v->start,
		.end = v->end,
		.vec = (uint64_t)regions,
		.vec_len = ARRAY_LEN(regions),
		.category_mask = PAGE_IS_GUARD,
		.return_mask = PAGE_IS_GUARD,
	};

	while (scan.start < v->end) {
		int n = fd < 0 ? -1 : ioctl(fd, PAGEMAP_SCAN, &scan);

		if (n < 0)
			return err_errno("pid %d: the guard regions of the mapping at 0x%" PRIx64 " cannot be found", task->pid, v->start);
		for (int i = 0; i < n; i++) {
			*(uint64_t *)array_push(&v->guards, &v->guard_count, &v->guard_room, sizeof(uint64_t)) = regions[i].start;
			*(uint64_t *)array_push(&v->guards, &v->guard_count, &v->guard_room, sizeof(uint64_t)) = regions[i].end;
		}
		scan.start = scan_goes_on(&scan, regions, n);
	}
	return 0;
}
