/* SPDX-License-Identifier: MIT */
#include "resource/page_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "common/err.h"
#include "common/progress.h"
#include "common/util.h"
#include "image/image.h"
#include "images/pagemap.pb-c.h"
#include "resource/page_writer.h"

/* Below this much a second thread costs more than it brings. */
#define PARALLEL_MIN (4UL << 20)
/* What a thread reads in one turn: little enough to be in the processor's cache still when the next thing is done with it. */
#define CHUNK (1UL << 20)
#define THREADS 2
/* From here on it is cheaper to have the kernel make all pages of a piece at once than one by one as read(2) touches them. */
#define POPULATE_MIN (16UL << 10)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

/* Links that a chain of parents may have: far above what anybody restores from, and an end to one that goes in a circle. */
#define CHAIN_MAX 512

/* A piece of memory and where its contents are in the file. */
struct piece {
	void *to;
	uint64_t size, offset;
	int fd;
};

/* --- reading the map --- */

static void add_run(struct page_runs *runs, uint64_t address, uint64_t size, uint64_t offset, uint32_t level, bool lazy, bool absent)
{
	struct page_run *last = runs->count ? &runs->runs[runs->count - 1] : NULL;

	runs->size += size;
	if (last && last->address + last->size == address && last->level == level && (absent || last->offset + last->size == offset) && last->lazy == lazy &&
	    last->absent == absent) {
		last->size += size;
		return;
	}
	last = array_push(&runs->runs, &runs->count, &runs->room, sizeof(*runs->runs));
	*last = (struct page_run){ address, size, offset, level, lazy, absent };
}

/* What one image says, before parents are asked. */
struct entries {
	struct entry {
		uint64_t address, size;
		bool in_parent, lazy, absent;
	} *list; /* ascending, disjoint */
	size_t count, room;
	bool any_in_parent;
};

static int add_entry(const char *name, struct entries *entries, const PagemapEntry *e)
{
	uint64_t pages = e->has_nr_pages ? e->nr_pages : e->compat_nr_pages, end = 0;
	uint32_t flags = e->has_flags ? e->flags : e->has_in_parent && e->in_parent ? PE_PARENT : PE_PRESENT;
	struct entry *last = entries->count ? &entries->list[entries->count - 1] : NULL;

	if (last)
		end = last->address + last->size;
	if (e->vaddr % PAGE || pages == 0 || pages > UINT64_MAX / PAGE / 4 || e->vaddr > UINT64_MAX / 2 || e->vaddr < end)
		return err_set(EINVAL, "%s: %" PRIu64 " pages at 0x%" PRIx64 " behind 0x%" PRIx64, name, pages, e->vaddr, end);
	if (flags & ~(PE_PARENT | PE_LAZY | PE_PRESENT))
		return err_set(ENOTSUP, "%s: pages at 0x%" PRIx64 " with flags 0x%x, which are not known", name, e->vaddr, flags);
	if (!flags)
		return err_set(EINVAL, "%s: pages at 0x%" PRIx64 " that are nowhere", name, e->vaddr);
	last = array_push(&entries->list, &entries->count, &entries->room, sizeof(*entries->list));
	*last = (struct entry){ e->vaddr, pages * PAGE, flags & PE_PARENT, flags & PE_LAZY, !(flags & (PE_PRESENT | PE_PARENT)) };
	entries->any_in_parent |= last->in_parent;
	return 0;
}

static int check_pages_image(const char *name, const struct page_level *level, int dirfd)
{
	auto_img *img = img_open(dirfd, IMG_PAGES, level->pages_id, level->size == 0);
	struct stat st;

	if (!img)
		return level->size || err_code() ? err_context("%s", name) : 0;
	if (fstat(img_fd(img), &st) < 0)
		return err_errno("%s", img_name(img));
	if ((uint64_t)st.st_size != level->size)
		return err_set(EINVAL, "%s has %lld bytes; %s accounts for %" PRIu64, img_name(img), (long long)st.st_size, name, level->size);
	return 0;
}

/* One pagemap image into entries, and the level that it describes. Returns 1, 0 when there is none and that is allowed, -1 with the error
 * set. name: 64 bytes. */
static int read_entries(int dirfd, int kind, unsigned long id, int optional, char *name, struct entries *entries, struct page_level *level)
{
	auto_img *img = img_open(dirfd, kind, id, optional);
	PagemapHead *head;
	PagemapEntry *e;
	int got;

	if (!img)
		return err_code() ? -1 : 0;
	snprintf(name, 64, "%s", img_name(img));
	if (img_read_one(img, &pagemap_head__descriptor, &head) < 0)
		return -1;
	*level = (struct page_level){ .pages_id = head->pages_id };
	pagemap_head__free_unpacked(head, NULL);
	while ((got = img_read(img, &pagemap_entry__descriptor, &e)) > 0) {
		int result = add_entry(name, entries, e);

		pagemap_entry__free_unpacked(e, NULL);
		if (result < 0)
			return -1;
		if (!entries->list[entries->count - 1].in_parent && !entries->list[entries->count - 1].absent)
			level->size += entries->list[entries->count - 1].size;
	}
	return got < 0 || check_pages_image(name, level, dirfd) < 0 ? -1 : 1;
}

/* Takes the pages of [address, address + size) from the parent's; *next: where in its runs the search goes on. */
static int take_from_parent(struct page_runs *runs, const struct page_runs *parent, size_t *next, uint64_t address, uint64_t size, bool lazy)
{
	while (size) {
		const struct page_run *r;
		uint64_t skip, n;

		while (*next < parent->count && parent->runs[*next].address + parent->runs[*next].size <= address)
			++*next;
		r = *next < parent->count ? &parent->runs[*next] : NULL;
		if (!r || r->address > address)
			return err_set(EINVAL, "%s leaves the page at 0x%" PRIx64 " to its parent dump, which has none", runs->name, address);
		skip = address - r->address;
		n = r->size - skip < size ? r->size - skip : size;
		if (r->absent)
			return err_set(ENODATA, "%s leaves the page at 0x%" PRIx64 " to its parent dump, which was a lazy one and has it not", runs->name,
				       address);
		add_run(runs, address, n, r->offset + skip, r->level + 1, lazy, false);
		address += n;
		size -= n;
	}
	return 0;
}

static struct page_runs *read_level(int dirfd, int kind, unsigned long id, int optional, int depth, bool own_only);

/* Entries to runs. */
static int resolve(struct page_runs *runs, const struct entries *entries, int dirfd, int kind, unsigned long id, int depth, bool own_only)
{
	struct page_runs *parent = NULL;
	uint64_t offset = 0;
	size_t next = 0;
	int result = 0;

	if (entries->any_in_parent && !own_only) {
		auto_fd parent_fd = img_open_parent(dirfd);

		if (parent_fd < 0)
			return err_context("%s has pages in a parent dump", runs->name);
		if (depth == CHAIN_MAX)
			return err_set(ELOOP, "the chain of parent dumps has more than %d links, or goes in a circle", CHAIN_MAX);
		parent = read_level(parent_fd, kind, id, false, depth + 1, false);
		if (!parent)
			return depth ? -1 : err_context("in a parent dump");
		for (size_t i = 0; i < parent->level_count; i++)
			*(struct page_level *)array_push(&runs->levels, &runs->level_count, &runs->level_room, sizeof(*runs->levels)) =
				parent->levels[i];
	}
	for (size_t i = 0; i < entries->count && !result; i++) {
		const struct entry *e = &entries->list[i];

		if (!e->in_parent) {
			add_run(runs, e->address, e->size, e->absent ? 0 : offset, 0, e->lazy, e->absent);
			offset += e->absent ? 0 : e->size;
		} else if (parent) {
			result = take_from_parent(runs, parent, &next, e->address, e->size, e->lazy);
		}
	}
	page_runs_free(parent);
	return result;
}

static struct page_runs *read_level(int dirfd, int kind, unsigned long id, int optional, int depth, bool own_only)
{
	struct page_runs *runs = xzalloc(sizeof(*runs));
	struct page_level *level = array_push(&runs->levels, &runs->level_count, &runs->level_room, sizeof(*runs->levels));
	struct entries entries = { 0 };
	int got = read_entries(dirfd, kind, id, optional, runs->name, &entries, level);

	if (got > 0 && resolve(runs, &entries, dirfd, kind, id, depth, own_only) < 0)
		got = -1;
	free(entries.list);
	if (got > 0)
		return runs;
	page_runs_free(runs);
	return NULL;
}

static struct page_runs *all_there(struct page_runs *runs)
{
	for (size_t i = 0; runs && i < runs->count; i++) {
		if (!runs->runs[i].absent)
			continue;
		err_set(ENODATA, "%s: the pages at 0x%" PRIx64 " are not in the images: whoever made this dump (--lazy-pages) serves them to a lazy restore",
			runs->name, runs->runs[i].address);
		page_runs_free(runs);
		return NULL;
	}
	return runs;
}

struct page_runs *page_runs_read(int dirfd, int kind, unsigned long id, int optional)
{
	return all_there(read_level(dirfd, kind, id, optional, 0, false));
}

struct page_runs *page_runs_read_lazy(int dirfd, unsigned long id)
{
	return read_level(dirfd, IMG_PAGEMAP, id, false, 0, false);
}

struct page_runs *page_runs_read_own(int dirfd, int kind, unsigned long id, int optional)
{
	return all_there(read_level(dirfd, kind, id, optional, 0, true));
}

void page_runs_free(struct page_runs *runs)
{
	if (runs) {
		free(runs->runs);
		free(runs->levels);
	}
	free(runs);
}

/* --- the pages images of a chain --- */

/* Opens those that some run is in; fds: level_count numbers, -1 where none is needed. Returns 0 or -1 with the error set. */
static int open_levels(const struct page_runs *runs, int dirfd, int flags, int *fds)
{
	auto_free bool *used = xzalloc(runs->level_count);
	int dir = dirfd, result = 0;
	size_t last = 0;

	for (size_t i = 0; i < runs->count; i++) {
		used[runs->runs[i].level] |= !runs->runs[i].absent;
		if (runs->runs[i].level > last)
			last = runs->runs[i].level;
	}
	for (size_t i = 0; i < runs->level_count; i++)
		fds[i] = -1;
	for (size_t i = 0; i <= last && !result; i++) {
		if (used[i]) {
			fds[i] = img_open_raw(dir, IMG_PAGES, runs->levels[i].pages_id, flags);
			result = fds[i] < 0 ? err_context("%s", runs->name) : 0;
		}
		if (i < last && !result) {
			int parent = img_open_parent(dir);

			result = parent < 0 ? -1 : 0;
			if (dir != dirfd)
				close(dir);
			dir = parent;
		}
	}
	if (dir != dirfd && dir >= 0)
		close(dir);
	return result;
}

static void close_levels(const struct page_runs *runs, const int *fds)
{
	for (size_t i = 0; i < runs->level_count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int *page_runs_open(const struct page_runs *runs, int dirfd)
{
	int *fds = xzalloc((runs->level_count + 1) * sizeof(*fds));

	if (open_levels(runs, dirfd, O_RDONLY, fds) == 0)
		return fds;
	close_levels(runs, fds);
	free(fds);
	return NULL;
}

int page_runs_peek(const struct page_runs *runs, int dirfd, uint64_t address, void *buffer, size_t size)
{
	auto_free int *fds = xzalloc(runs->level_count * sizeof(*fds));
	bool opened = false;
	size_t done = 0;
	int result = 1;

	for (size_t i = 0; i < runs->count && done < size && result > 0; i++) {
		const struct page_run *r = &runs->runs[i];
		uint64_t at = address + done, n;

		if (at < r->address || at >= r->address + r->size)
			continue;
		n = r->address + r->size - at < size - done ? r->address + r->size - at : size - done;
		if (!opened && open_levels(runs, dirfd, O_RDONLY, fds) < 0)
			result = -1;
		opened = true;
		if (result > 0 && pread(fds[r->level], (char *)buffer + done, n, r->offset + (at - r->address)) != (ssize_t)n)
			result = err_set(EIO, "%s: its pages image cannot be read at offset %" PRIu64, runs->name, r->offset);
		done += n;
	}
	if (opened)
		close_levels(runs, fds);
	return result < 0 ? -1 : done == size;
}

int page_runs_punch(const struct page_runs *runs, int dirfd)
{
	auto_free int *fds = xzalloc(runs->level_count * sizeof(*fds));
	int result = open_levels(runs, dirfd, O_RDWR, fds);

	for (size_t i = 0; i < runs->count && !result; i++) {
		const struct page_run *r = &runs->runs[i];

		if (fallocate(fds[r->level], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, r->offset, r->size) < 0)
			result = err_errno("%s: the space of pages that are not needed any more cannot be given back", runs->name);
	}
	close_levels(runs, fds);
	return result;
}

/* --- loading --- */

struct load {
	const struct piece *pieces;
	size_t count, room;
	const size_t *turns; /* index of the first piece of each turn */
	size_t turn_count;
	size_t next; /* turn, taken by the threads one after another */
	int error; /* errno of the first failure, ENODATA: file too short */
};

static int read_pieces(const struct piece *pieces, size_t count)
{
	struct iovec iov[IOV_MAX];

	for (size_t at = 0; at < count;) {
		uint64_t offset = pieces[at].offset, want = 0;
		size_t n = 0;
		struct iovec *v = iov;
		int fd = pieces[at].fd;

		/* What lies together in the file goes with one call. */
		while (n < IOV_MAX && at + n < count && pieces[at + n].offset == offset + want && pieces[at + n].fd == fd &&
		       want < CHUNK) {
			iov[n] = (struct iovec){ pieces[at + n].to, pieces[at + n].size };
			/* Only for speed: what it cannot do preadv does, or finds the error. */
			if (iov[n].iov_len >= POPULATE_MIN)
				madvise(iov[n].iov_base, iov[n].iov_len, MADV_POPULATE_WRITE);
			want += pieces[at + n].size;
			n++;
		}
		at += n;
		while (want) {
			ssize_t got = preadv(fd, v, n, offset);

			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0)
				return errno;
			if (got == 0)
				return ENODATA;
			offset += got;
			want -= got;
			while (n && (size_t)got >= v->iov_len) {
				got -= v->iov_len;
				v++;
				n--;
			}
			if (n) {
				v->iov_base = (char *)v->iov_base + got;
				v->iov_len -= got;
			}
		}
	}
	return 0;
}

static uint64_t pieces_size(const struct piece *pieces, size_t count)
{
	uint64_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += pieces[i].size;
	return size;
}

/* Takes turns until none is left. */
static void *load_thread(void *arg)
{
	struct load *load = arg;

	for (;;) {
		size_t turn = __atomic_fetch_add(&load->next, 1, __ATOMIC_RELAXED), first, last;
		int error;

		if (turn >= load->turn_count || __atomic_load_n(&load->error, __ATOMIC_RELAXED))
			return NULL;
		first = load->turns[turn];
		last = turn + 1 < load->turn_count ? load->turns[turn + 1] : load->count;
		error = read_pieces(load->pieces + first, last - first);
		progress_add_shared(first < last ? pieces_size(load->pieces + first, last - first) : 0);
		if (error)
			__atomic_store_n(&load->error, error, __ATOMIC_RELAXED);
	}
}

int page_runs_load(const struct page_runs *runs, int dirfd, page_target_fn target, void *arg)
{
	auto_free int *fds = xzalloc(runs->level_count * sizeof(*fds));
	auto_free struct piece *pieces = NULL;
	auto_free size_t *turns = NULL;
	struct load load = { 0 };
	size_t turn_room = 0;
	uint64_t total = 0, turn_end = 0;
	pthread_t threads[THREADS - 1];
	int started = 0;

	if (!runs->size)
		return 0;
	if (open_levels(runs, dirfd, O_RDONLY, fds) < 0) {
		close_levels(runs, fds);
		return -1;
	}
	for (size_t i = 0; i < runs->count; i++) {
		const struct page_run *r = &runs->runs[i];

		for (uint64_t done = 0; done < r->size;) {
			uint64_t size = r->size - done;
			char *to = target(arg, r->address + done, &size);

			/* Split, so that threads share a large run. */
			for (uint64_t at = 0; to && at < size;) {
				uint64_t n = size - at < CHUNK ? size - at : CHUNK;
				struct piece *p = array_push(&pieces, &load.count, &load.room, sizeof(*pieces));

				if (total >= turn_end) {
					*(size_t *)array_push(&turns, &load.turn_count, &turn_room, sizeof(*turns)) = load.count - 1;
					turn_end = total + CHUNK;
				}
				*p = (struct piece){ to + at, n, r->offset + done + at, fds[r->level] };
				at += n;
				total += n;
			}
			done += size;
		}
	}
	load.pieces = pieces;
	load.turns = turns;
	while (total >= PARALLEL_MIN && started < THREADS - 1 && pthread_create(&threads[started], NULL, load_thread, &load) == 0)
		started++;
	load_thread(&load);
	while (started)
		pthread_join(threads[--started], NULL);
	close_levels(runs, fds);
	if (load.error == ENODATA)
		return err_set(ENODATA, "the pages image of %s shrank while it was read", runs->name);
	if (load.error) {
		errno = load.error;
		return err_errno("cannot read the pages of %s into memory", runs->name);
	}
	return 0;
}
