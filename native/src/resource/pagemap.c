/* SPDX-License-Identifier: MIT */
#include "resource/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/progress.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/page_reader.h"
#include "resource/page_writer.h"
#include "resource/vma.h"
#include "tree/dump.h"

/* --- dump --- */

/* What the parent dump has of the task, NULL: nothing that could be used. Addresses come ascending. */
struct parent {
	struct page_runs *runs;
	size_t next;
};

/* A parent that cannot be read costs a full dump, not the dump. */
static struct parent open_parent(struct dump *dump, const struct task *task)
{
	struct parent parent = { 0 };

	if (!task->in_parent || dump->parent_fd < 0)
		return parent;
	parent.runs = page_runs_read(dump->parent_fd, IMG_PAGEMAP, task->pid, true);
	if (!parent.runs && err_code()) {
		pr_warn("pid %d: the previous dump cannot be used, all memory is dumped: %s", task->pid, err_text());
		err_clear();
	}
	return parent;
}

/* How many bytes from start on, up to end, the parent has (*has), or has not. */
static uint64_t in_parent(struct parent *parent, uint64_t start, uint64_t end, bool *has)
{
	const struct page_run *r;
	uint64_t stop;

	*has = false;
	if (!parent->runs)
		return end - start;
	while (parent->next < parent->runs->count && parent->runs->runs[parent->next].address + parent->runs->runs[parent->next].size <= start)
		parent->next++;
	r = parent->next < parent->runs->count ? &parent->runs->runs[parent->next] : NULL;
	*has = r && r->address <= start;
	stop = !r ? end : *has ? r->address + r->size : r->address;
	return (stop < end ? stop : end) - start;
}

/* Whether a lazy restore may bring its pages later. Locked memory is locked for not having to wait (CRIU restores such pages never, where they
 * are marked); a fork before they are there would find pages where the program wants zeros. */
static bool can_be_lazy(const struct vma *v)
{
	return v->kind == VMA_ANON && !v->huge && !(v->flags & MAP_LOCKED) && !(v->madvise >> MADV_WIPEONFORK & 1);
}

/* With --lazy-pages what can be lazy stays where it is for now. */
static int add(struct dump *dump, struct page_writer *writer, const struct page_source *from, uint64_t address, uint64_t size, bool skip_zeros,
	       uint32_t flags)
{
	/* Nobody waits for what a pre-dump leaves out. */
	if (!dump->request->lazy_pages || dump->request->pre_dump || !(flags & PE_LAZY))
		return page_writer_add(writer, from, address, address, size, skip_zeros, flags);
	dump->stats.pages_lazy += size / PAGE;
	progress_add(size);
	return page_writer_leave(writer, address, size);
}

static int dump_range(struct dump *dump, struct page_writer *writer, const struct page_source *from, struct parent *parent,
		      const struct vma *v, const struct page_range *range)
{
	/* A page of zeros over a file's page is content. */
	bool skip_zeros = v->kind == VMA_ANON, has;
	struct page_source kept = { .fd = -1, .mem_fd = -1 };
	uint32_t flags = PE_PRESENT | (can_be_lazy(v) ? PE_LAZY : 0);
	struct page_source by_reading = *from;

	if (range->kept) {
		kept.kept = range->kept;
		kept.kept_address = range->start;
		from = &kept;
	} else if (v->kind != VMA_ANON || !(v->prot & PROT_READ) || v->has_key || (range->start < from->blank_end && range->end > from->blank)) {
		by_reading.self = NULL;
		from = &by_reading;
	}
	dump->stats.pages_scanned += (range->end - range->start) / PAGE;
	if (!range->unwritten)
		return add(dump, writer, from, range->start, range->end - range->start, skip_zeros, flags);
	for (uint64_t at = range->start, n; at < range->end; at += n) {
		n = in_parent(parent, at, range->end, &has);
		if (has ? page_writer_refer(writer, at, n) < 0 : add(dump, writer, from, at, n, skip_zeros, flags) < 0)
			return -1;
		dump->stats.pages_skipped_parent += has ? n / PAGE : 0;
		progress_add(has ? n : 0);
	}
	return 0;
}

int pagemap_dump(struct dump *dump, struct task *task, const struct page_source *from)
{
	struct parent parent = open_parent(dump, task);
	struct page_writer *writer = page_writer_open(dump, IMG_PAGEMAP, task->pid);
	int result = writer ? 0 : -1;
	uint64_t expected = 0;

	for (size_t i = 0; i < task->ranges.count; i++) {
		const struct page_range *r = &task->ranges.list[i];

		progress_expect(r->end - r->start);
		expected += r->unwritten ? 0 : r->end - r->start;
	}
	if (writer)
		page_writer_expect(writer, expected);
	for (size_t i = 0; i < task->ranges.count && !result; i++)
		result = dump_range(dump, writer, from, &parent, &task->vmas[task->ranges.list[i].vma], &task->ranges.list[i]);
	if (writer && page_writer_close(writer, &dump->stats.pages_written) < 0)
		result = -1;
	page_runs_free(parent.runs);
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
		progress_expect(ROUND_UP(end - start, PAGE));
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
