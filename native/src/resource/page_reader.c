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

/* A piece of memory and where its contents are in the file. */
struct piece {
	void *to;
	uint64_t size, offset;
};

/* --- reading the map --- */

static int add_entry(struct page_runs *runs, const PagemapEntry *e)
{
	uint64_t pages = e->has_nr_pages ? e->nr_pages : e->compat_nr_pages, end = runs->count ? runs->runs[runs->count - 1].address : 0;
	uint32_t flags = e->has_flags ? e->flags : e->has_in_parent && e->in_parent ? PE_PARENT : PE_PRESENT;
	struct page_run *last = runs->count ? &runs->runs[runs->count - 1] : NULL;

	if (last)
		end = last->address + last->size;
	if (e->vaddr % PAGE || pages == 0 || pages > UINT64_MAX / PAGE / 4 || e->vaddr > UINT64_MAX / 2 || e->vaddr < end)
		return err_set(EINVAL, "%s: %" PRIu64 " pages at 0x%" PRIx64 " behind 0x%" PRIx64, runs->name, pages, e->vaddr, end);
	if (flags & ~(PE_PARENT | PE_LAZY | PE_PRESENT))
		return err_set(ENOTSUP, "%s: pages at 0x%" PRIx64 " with flags 0x%x, which are not known", runs->name, e->vaddr, flags);
	if (flags & PE_PARENT)
		return err_set(ENOTSUP, "%s: the pages at 0x%" PRIx64 " are in a parent dump; incremental dumps cannot be restored yet", runs->name,
			       e->vaddr);
	if (!(flags & PE_PRESENT))
		return err_set(ENOTSUP, "%s: the pages at 0x%" PRIx64 " are not in the images (lazy pages)", runs->name, e->vaddr);
	if (last && e->vaddr == end) {
		last->size += pages * PAGE;
	} else {
		last = array_push(&runs->runs, &runs->count, &runs->room, sizeof(*runs->runs));
		*last = (struct page_run){ e->vaddr, pages * PAGE, runs->size };
	}
	runs->size += pages * PAGE;
	return 0;
}

static int check_pages_image(struct page_runs *runs, int dirfd)
{
	auto_img *img = img_open(dirfd, IMG_PAGES, runs->pages_id, runs->size == 0);
	struct stat st;

	if (!img)
		return runs->size || err_code() ? err_context("%s", runs->name) : 0;
	if (fstat(img_fd(img), &st) < 0)
		return err_errno("%s", img_name(img));
	if ((uint64_t)st.st_size != runs->size)
		return err_set(EINVAL, "%s has %lld bytes; %s accounts for %" PRIu64, img_name(img), (long long)st.st_size, runs->name, runs->size);
	return 0;
}

struct page_runs *page_runs_read(int dirfd, int kind, unsigned long id, int optional)
{
	auto_img *img = img_open(dirfd, kind, id, optional);
	struct page_runs *runs;
	PagemapHead *head;
	PagemapEntry *e;
	int got;

	if (!img)
		return NULL;
	runs = xzalloc(sizeof(*runs));
	snprintf(runs->name, sizeof(runs->name), "%s", img_name(img));
	if (img_read_one(img, &pagemap_head__descriptor, &head) < 0)
		goto bad;
	runs->pages_id = head->pages_id;
	pagemap_head__free_unpacked(head, NULL);
	while ((got = img_read(img, &pagemap_entry__descriptor, &e)) > 0) {
		int result = add_entry(runs, e);

		pagemap_entry__free_unpacked(e, NULL);
		if (result < 0)
			goto bad;
	}
	if (got < 0 || check_pages_image(runs, dirfd) < 0)
		goto bad;
	return runs;
bad:
	page_runs_free(runs);
	return NULL;
}

void page_runs_free(struct page_runs *runs)
{
	if (runs)
		free(runs->runs);
	free(runs);
}

int page_runs_peek(const struct page_runs *runs, int dirfd, uint64_t address, void *buffer, size_t size)
{
	for (size_t i = 0; i < runs->count; i++) {
		const struct page_run *r = &runs->runs[i];
		auto_img *img = NULL;

		if (address < r->address || address + size > r->address + r->size)
			continue;
		img = img_open(dirfd, IMG_PAGES, runs->pages_id, false);
		if (!img)
			return -1;
		if (pread(img_fd(img), buffer, size, r->offset + (address - r->address)) != (ssize_t)size)
			return err_set(EIO, "%s cannot be read at offset %" PRIu64, img_name(img), r->offset);
		return 1;
	}
	return 0;
}

/* --- loading --- */

struct load {
	int fd;
	const struct piece *pieces;
	size_t count, room;
	const size_t *turns; /* index of the first piece of each turn */
	size_t turn_count;
	size_t next; /* turn, taken by the threads one after another */
	int error; /* errno of the first failure, ENODATA: file too short */
};

static int read_pieces(int fd, const struct piece *pieces, size_t count)
{
	struct iovec iov[IOV_MAX];

	for (size_t at = 0; at < count;) {
		uint64_t offset = pieces[at].offset, want = 0;
		size_t n = 0;
		struct iovec *v = iov;

		/* What lies together in the file goes with one call. */
		while (n < IOV_MAX && at + n < count && pieces[at + n].offset == offset + want && want < CHUNK) {
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
		error = read_pieces(load->fd, load->pieces + first, last - first);
		if (error)
			__atomic_store_n(&load->error, error, __ATOMIC_RELAXED);
	}
}

int page_runs_load(const struct page_runs *runs, int dirfd, page_target_fn target, void *arg)
{
	auto_img *img = NULL;
	auto_free struct piece *pieces = NULL;
	auto_free size_t *turns = NULL;
	struct load load = { 0 };
	size_t turn_room = 0;
	uint64_t total = 0, turn_end = 0;
	pthread_t threads[THREADS - 1];
	int started = 0;

	if (!runs->size)
		return 0;
	img = img_open(dirfd, IMG_PAGES, runs->pages_id, false);
	if (!img)
		return -1;
	load.fd = img_fd(img);
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
				*p = (struct piece){ to + at, n, r->offset + done + at };
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
	if (load.error == ENODATA)
		return err_set(ENODATA, "%s shrank while it was read", img_name(img));
	if (load.error) {
		errno = load.error;
		return err_errno("cannot read %s into memory", img_name(img));
	}
	return 0;
}
