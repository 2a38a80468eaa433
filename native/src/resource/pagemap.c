/* SPDX-License-Identifier: MIT */
#include "resource/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/page_writer.h"
#include "resource/vma.h"
#include "tree/dump.h"

/* --- dump --- */

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
#define PAGE_IS_FILE (1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#endif

#ifndef PAGE_IS_GUARD
#define PAGE_IS_GUARD (1 << 8)
#endif

#define PM_FILE (1ULL << 61)
#define PM_SWAP (1ULL << 62)
#define PM_PRESENT (1ULL << 63)
#define REGIONS 1024

/* What becomes of each run of pages that a dump must have. */
typedef int (*run_fn)(void *arg, uint64_t start, uint64_t end);

/* Where the next call starts. walk_end alone does not do: a walk that filled the kernel's own buffer (512 regions) on the way and then
 * came to the end still says where that was (Linux 6.18, fs/proc/task_mmu.c), behind which all would be found twice. */
static uint64_t scan_goes_on(struct pm_scan_arg *scan, const struct page_region *regions, int n)
{
	uint64_t next = n > 0 && regions[n - 1].end > scan->walk_end ? regions[n - 1].end : scan->walk_end;

	scan->walk_end = 0;
	return next;
}

/* Pages of [start, end) that are the task's own (not the file's, not the zero page). but: a category to leave out as well. Returns 1
 * when the kernel has no PAGEMAP_SCAN. */
static int scan_new(int pagemap_fd, uint64_t start, uint64_t end, uint64_t but, run_fn fn, void *arg)
{
	static struct page_region regions[REGIONS];
	struct pm_scan_arg scan = {
		.size = sizeof(scan),
		.start = start,
		.end = end,
		.vec = (uint64_t)regions,
		.vec_len = REGIONS,
		.category_inverted = PAGE_IS_PFNZERO | PAGE_IS_FILE | but,
		.category_mask = PAGE_IS_PFNZERO | PAGE_IS_FILE | but,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_PRESENT,
	};

	while (scan.start < end) {
		int n = ioctl(pagemap_fd, PAGEMAP_SCAN, &scan);

		if (n < 0 && (errno == ENOTTY || errno == EINVAL))
			return 1;
		if (n < 0)
			return err_errno("cannot scan pages at 0x%" PRIx64, (uint64_t)scan.start);
		for (int i = 0; i < n; i++)
			if (fn(arg, regions[i].start, regions[i].end) < 0)
				return -1;
		scan.start = scan_goes_on(&scan, regions, n);
	}
	return 0;
}

/* The same from the pages' 64-bit entries. It does not tell the zero page: page_writer finds that by its contents. */
static int scan_old(int pagemap_fd, uint64_t start, uint64_t end, run_fn fn, void *arg)
{
	uint64_t entries[512], run = 0;
	bool open = false;

	for (uint64_t at = start; at < end;) {
		size_t n = (end - at) / PAGE < ARRAY_LEN(entries) ? (end - at) / PAGE : ARRAY_LEN(entries);

		if (pread(pagemap_fd, entries, n * 8, at / PAGE * 8) != (ssize_t)n * 8)
			return err_errno("cannot read the page map at 0x%" PRIx64, at);
		for (size_t i = 0; i < n; i++, at += PAGE) {
			bool ours = entries[i] & (PM_PRESENT | PM_SWAP) && !(entries[i] & PM_FILE);

			if (ours && !open)
				run = at;
			if (!ours && open && fn(arg, run, at) < 0)
				return -1;
			open = ours;
		}
	}
	return open ? fn(arg, run, end) : 0;
}

int pagemap_find_guards(struct task *task, struct vma *v)
{
	auto_fd fd = proc_open(task->pid, O_RDONLY, "pagemap");
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

struct sink {
	struct page_writer *writer;
	struct page_source source;
	bool skip_zeros;
	uint32_t flags;
	struct dump *dump;
};

static int add_run(void *arg, uint64_t start, uint64_t end)
{
	struct sink *s = arg;

	s->dump->stats.pages_scanned += (end - start) / PAGE;
	return page_writer_add(s->writer, &s->source, start, start, end - start, s->skip_zeros, s->flags);
}

static int dump_vma(struct sink *s, int pagemap_fd, const struct vma *v)
{
	static bool no_scan;
	int result = 1;

	s->flags = PE_PRESENT | (v->kind == VMA_ANON && !v->huge ? PE_LAZY : 0);
	if (v->kind == VMA_VDSO || v->kind == VMA_AIO) {
		s->skip_zeros = false;
		return add_run(s, v->start, v->end);
	}
	/* A page of zeros over a file's page is content. */
	s->skip_zeros = v->kind == VMA_ANON;
	if (!no_scan)
		result = scan_new(pagemap_fd, v->start, v->end, v->guard_count ? PAGE_IS_GUARD : 0, add_run, s);
	if (result == 1) {
		no_scan = true;
		result = scan_old(pagemap_fd, v->start, v->end, add_run, s);
	}
	return result;
}

int pagemap_dump(struct dump *dump, struct task *task)
{
	auto_fd pagemap_fd = proc_open(task->pid, O_RDONLY, "pagemap");
	struct sink s = { .source = { task->pid, -1, task->mem_fd }, .dump = dump };
	int result = 0;

	if (pagemap_fd < 0)
		return err_errno("pid %d: cannot open its page map", task->pid);
	s.writer = page_writer_open(dump, IMG_PAGEMAP, task->pid);
	if (!s.writer)
		return -1;
	for (size_t i = 0; i < task->vma_count && !result; i++) {
		const struct vma *v = &task->vmas[i];

		if (v->kind == VMA_VVAR || v->kind == VMA_VSYSCALL || (v->flags & MAP_SHARED && v->kind != VMA_AIO))
			continue;
		result = dump_vma(&s, pagemap_fd, v);
	}
	if (page_writer_close(s.writer, &dump->stats.pages_written) < 0)
		result = -1;
	return result;
}

/* The extents of the segment's file that hold data: lseek(2), SEEK_DATA. Pages of the file are pages of the image. */
static int dump_extents(struct dump *dump, struct page_writer *writer, int fd, off_t size)
{
	struct page_source source = { .fd = fd, .mem_fd = -1 };
	off_t start = 0, end;

	while (start < size && (start = lseek(fd, start, SEEK_DATA)) >= 0) {
		end = lseek(fd, start, SEEK_HOLE);
		if (end < 0 || end > size)
			end = size;
		dump->stats.shpages_scanned += (end - start) / PAGE;
		if (page_writer_add(writer, &source, start, start, ROUND_UP(end - start, PAGE), true, PE_PRESENT) < 0)
			return -1;
		start = end;
	}
	if (start < 0 && errno != ENXIO)
		return err_errno("cannot find the data of a shared memory segment");
	return 0;
}

int pagemap_dump_shmem_file(struct dump *dump, int fd, uint64_t id)
{
	struct page_writer *writer;
	struct stat st;
	int result;

	if (fstat(fd, &st) < 0)
		return err_errno("cannot see how large a shared memory segment is");
	writer = page_writer_open(dump, IMG_SHMEM_PAGEMAP, id);
	if (!writer)
		return -1;
	result = dump_extents(dump, writer, fd, ROUND_UP(st.st_size, PAGE));
	if (page_writer_close(writer, &dump->stats.shpages_written) < 0)
		result = -1;
	return result;
}
