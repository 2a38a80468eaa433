/* SPDX-License-Identifier: MIT */
#include "resource/page_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/progress.h"
#include "common/util.h"
#include "image/image.h"
#include "images/pagemap.pb-c.h"
#include "pageserver/client.h"
#include "resource/self_writer.h"
#include "tree/dump.h"

/* Small enough that a chunk is still in the cache when it is written. */
#define CHUNK_SIZE (256 * 1024UL)
#define CHUNKS 16
/* Below this a second thread costs more than it gains. */
#define ASYNC_FROM (4 * 1024 * 1024UL)

/* Below this a request to another process costs more than a second copy. */
#define SELF_FROM (128 * 1024UL)
/* Requests that it may have before it. */
#define ASKED 4
/* Below this taking blocks beforehand costs more than it gains. */
#define EXPECT_FROM (4 * 1024 * 1024UL)

struct chunk {
	char *data;
	size_t size;
};

/* What a self_writer was asked to write. */
struct asked {
	uint64_t address, image_address, pages;
	uint32_t flags;
};

struct page_writer {
	struct dump *dump;
	struct img *pagemap, *pages;
	uint64_t next_vaddr, run_pages; /* the open run */
	uint32_t run_flags;
	uint64_t written, read_bytes;
	bool expected; /* blocks were taken beforehand */

	/* With a page server: runs whose contents are in the chunk. */
	bool remote;
	struct ps_run *runs;
	size_t run_count, run_room;

	struct chunk chunks[CHUNKS];

	struct page_source self; /* self.self: the writer that was told of our file; NULL when there is none, or none any more */
	bool self_failed;
	struct asked asked[ASKED];
	size_t first_asked, asked_count;
	off_t at; /* bytes in the file before what asked[first_asked] adds */

	/* The writing thread, once there is one. */
	bool async;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t done; /* chunks written since the start; filled runs ahead by at most CHUNKS */
	size_t filled;
	/* Waking costs more than a chunk: only who sleeps is woken, and the reader only when there is room for several. */
	bool writer_sleeps, reader_sleeps, reader_waits; /* waits: for all to be written */
	bool ending;
	int write_errno;
};

struct page_writer *page_writer_open(struct dump *dump, int kind, unsigned long id)
{
	struct page_writer *w = xzalloc(sizeof(*w));
	PagemapHead head = PAGEMAP_HEAD__INIT;

	w->dump = dump;
	w->remote = dump->request->use_page_server;
	if (w->remote) {
		if (ps_client_open(kind == IMG_SHMEM_PAGEMAP, id) == 0)
			return w;
		free(w);
		return NULL;
	}
	head.pages_id = ++dump->pages_id;
	w->pagemap = img_create(dump->dirfd, kind, id);
	w->pages = w->pagemap ? img_create(dump->dirfd, IMG_PAGES, head.pages_id) : NULL;
	if (!w->pages || img_write(w->pagemap, &head.base) < 0) {
		page_writer_close(w, NULL);
		return NULL;
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	return w;
}

void page_writer_expect(struct page_writer *w, uint64_t size)
{
	struct statfs fs;
	int fd = w->remote || size < EXPECT_FROM ? -1 : img_fd(w->pages);

	/* ext4 reserves blocks one by one when they come; a tmpfs would fill in all pages now. What is too much is given back at the end. */
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != EXT4_SUPER_MAGIC)
		return;
	w->expected = true;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) < 0)
		pr_debug("%s: no blocks taken beforehand: %s", img_name(w->pages), strerror(errno));
}

/* Gives back what page_writer_expect took too much of. */
static void trim(struct page_writer *w)
{
	struct stat st;
	int fd = w->pages ? img_fd(w->pages) : -1;

	if (fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_blocks * 512 > ROUND_UP((uint64_t)st.st_size, PAGE) && ftruncate(fd, st.st_size) < 0)
		pr_debug("%s has more blocks than it needs", img_name(w->pages));
}

static int end_run(struct page_writer *w);

static int send_chunk(struct page_writer *w, struct chunk *chunk)
{
	int result = end_run(w) < 0 ? -1 : ps_client_send(w->runs, w->run_count, chunk->data);

	w->run_count = chunk->size = 0;
	return result;
}

static int write_chunk(struct page_writer *w, struct chunk *chunk)
{
	int result = write_all(img_fd(w->pages), chunk->data, chunk->size);

	chunk->size = 0;
	return result;
}

static void *write_loop(void *arg)
{
	struct page_writer *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct chunk *chunk = &w->chunks[w->done % CHUNKS];
		int result;

		while (w->done == w->filled && !w->ending) {
			w->writer_sleeps = true;
			pthread_cond_wait(&w->changed, &w->lock);
		}
		w->writer_sleeps = false;
		if (w->done == w->filled)
			break;
		pthread_mutex_unlock(&w->lock);
		errno = 0;
		result = write_chunk(w, chunk);
		pthread_mutex_lock(&w->lock);
		if (result < 0 && !w->write_errno)
			w->write_errno = errno ? errno : EIO;
		w->done++;
		if (w->reader_sleeps && (w->reader_waits ? w->filled == w->done : w->filled - w->done <= CHUNKS / 2))
			pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int write_failed(struct page_writer *w, int code)
{
	errno = code;
	return err_errno("cannot write %s", img_name(w->pages));
}

/* The chunk being filled is full: hand it on. */
static int next_chunk(struct page_writer *w)
{
	int code;

	if (w->remote)
		return send_chunk(w, &w->chunks[0]);
	if (!w->async && w->read_bytes >= ASYNC_FROM)
		w->async = pthread_create(&w->thread, NULL, write_loop, w) == 0;
	if (!w->async) {
		if (write_chunk(w, &w->chunks[w->filled % CHUNKS]) < 0)
			return write_failed(w, errno);
		return 0;
	}
	pthread_mutex_lock(&w->lock);
	w->filled++;
	if (w->writer_sleeps)
		pthread_cond_signal(&w->changed);
	while (w->filled - w->done == CHUNKS) {
		w->reader_sleeps = true;
		pthread_cond_wait(&w->changed, &w->lock);
	}
	w->reader_sleeps = false;
	code = w->write_errno;
	pthread_mutex_unlock(&w->lock);
	return code ? write_failed(w, code) : 0;
}

static int end_run(struct page_writer *w)
{
	PagemapEntry e = PAGEMAP_ENTRY__INIT;

	if (!w->run_pages)
		return 0;
	if (w->remote) {
		struct ps_run *run = array_push(&w->runs, &w->run_count, &w->run_room, sizeof(*w->runs));

		*run = (struct ps_run){ w->next_vaddr - w->run_pages * PAGE, w->run_pages, w->run_flags };
		w->run_pages = 0;
		return 0;
	}
	e.vaddr = w->next_vaddr - w->run_pages * PAGE;
	e.compat_nr_pages = w->run_pages > UINT32_MAX ? UINT32_MAX : w->run_pages;
	e.has_nr_pages = true;
	e.nr_pages = w->run_pages;
	e.has_flags = true;
	e.flags = w->run_flags;
	if (w->run_flags & PE_PARENT)
		e.has_in_parent = e.in_parent = true;
	w->run_pages = 0;
	return img_write(w->pagemap, &e.base);
}

static int note_pages(struct page_writer *w, uint64_t vaddr, uint64_t pages, uint32_t flags)
{
	if (w->run_pages && (w->next_vaddr != vaddr || w->run_flags != flags) && end_run(w) < 0)
		return -1;
	w->run_flags = flags;
	w->run_pages += pages;
	w->next_vaddr = vaddr + pages * PAGE;
	if (flags & PE_PRESENT)
		w->written += pages;
	return 0;
}

static bool is_zero(const char *page)
{
	const uint64_t *p = (const uint64_t *)page;

	for (size_t i = 0; i < PAGE / 8; i += 8)
		if (p[i] | p[i + 1] | p[i + 2] | p[i + 3] | p[i + 4] | p[i + 5] | p[i + 6] | p[i + 7])
			return false;
	return true;
}

/* Drops the pages of zeros among those just read; notes the rest. *size: what stays. */
static int squeeze(struct page_writer *w, char *data, size_t *size, uint64_t vaddr, bool skip_zeros, uint32_t flags)
{
	size_t kept = 0;

	if (!skip_zeros)
		return note_pages(w, vaddr, *size / PAGE, flags);
	for (size_t at = 0; at < *size; at += PAGE) {
		if (is_zero(data + at))
			continue;
		if (kept != at)
			memcpy(data + kept, data + at, PAGE);
		kept += PAGE;
		if (note_pages(w, vaddr + at, 1, flags) < 0)
			return -1;
	}
	*size = kept;
	return 0;
}

/* --- by the memory's own process --- */

static int add_by_reading(struct page_writer *w, const struct page_source *source, uint64_t address, uint64_t image_address, uint64_t size,
			  bool skip_zeros, uint32_t flags);

/* All that was read is in the file. Returns 0 or -1 with the error set. */
static int flush_chunks(struct page_writer *w)
{
	int code;

	if (w->chunks[w->filled % CHUNKS].size && next_chunk(w) < 0)
		return -1;
	if (!w->async)
		return 0;
	pthread_mutex_lock(&w->lock);
	while (w->done != w->filled) {
		w->reader_sleeps = w->reader_waits = true;
		pthread_cond_wait(&w->changed, &w->lock);
	}
	w->reader_sleeps = w->reader_waits = false;
	code = w->write_errno;
	pthread_mutex_unlock(&w->lock);
	return code ? write_failed(w, code) : 0;
}

/* The writer did not get through: what was asked for since is read instead, which also tells what is wrong with the file, if that is it. */
static int give_up(struct page_writer *w, const char *why)
{
	struct page_source by_reading = w->self;
	int fd = img_fd(w->pages);
	size_t again = w->asked_count;

	pr_warn("memory is read the slow way: %s", why);
	err_clear();
	self_writer_cancel(w->self.self);
	w->self_failed = true;
	w->self.self = by_reading.self = NULL;
	w->asked_count = 0;
	if (ftruncate(fd, w->at) < 0 || lseek(fd, w->at, SEEK_SET) < 0)
		return write_failed(w, errno);
	for (size_t i = 0; i < again; i++) {
		const struct asked *a = &w->asked[(w->first_asked + i) % ASKED];

		if (add_by_reading(w, &by_reading, a->address, a->image_address, a->pages * PAGE, true, a->flags) < 0)
			return -1;
	}
	return 0;
}

/* Notes the pages of an answer. */
static int note_answer(struct page_writer *w, const struct asked *a, const struct copy_reply *reply)
{
	uint64_t from = 0, to;

	while (from < a->pages) {
		bool zero = reply->zeros[from / 8] >> from % 8 & 1;

		for (to = from + 1; to < a->pages && (reply->zeros[to / 8] >> to % 8 & 1) == zero;)
			to++;
		if (!zero && note_pages(w, a->image_address + from * PAGE, to - from, a->flags) < 0)
			return -1;
		w->at += zero ? 0 : (to - from) * PAGE;
		from = to;
	}
	progress_add(a->pages * PAGE);
	return 0;
}

static int take_answer(struct page_writer *w)
{
	const struct asked *a = &w->asked[w->first_asked];
	struct copy_reply reply;

	if (self_writer_receive(w->self.self, &reply) < 0)
		return give_up(w, err_text());
	if (reply.error)
		return give_up(w, strerror(-reply.error));
	if (note_answer(w, a, &reply) < 0)
		return -1;
	w->first_asked = (w->first_asked + 1) % ASKED;
	w->asked_count--;
	return 0;
}

/* Nothing is asked for any more. Returns 0 or -1 with the error set. */
static int settle(struct page_writer *w)
{
	while (w->asked_count)
		if (take_answer(w) < 0)
			return -1;
	return 0;
}

static int add_by_itself(struct page_writer *w, const struct page_source *source, uint64_t address, uint64_t image_address, uint64_t size,
			 uint32_t flags)
{
	if (!w->asked_count) {
		if (flush_chunks(w) < 0)
			return -1;
		w->at = lseek(img_fd(w->pages), 0, SEEK_CUR);
	}
	if (!w->self.self) {
		w->self = *source;
		if (self_writer_file(source->self, img_fd(w->pages)) < 0 && give_up(w, err_text()) < 0)
			return -1;
	}
	while (size && !w->self_failed) {
		uint64_t pages = size / PAGE < COPY_PAGES_MAX ? size / PAGE : COPY_PAGES_MAX;

		if (w->asked_count == ASKED) {
			if (take_answer(w) < 0)
				return -1;
			continue;
		}
		w->asked[(w->first_asked + w->asked_count++) % ASKED] = (struct asked){ address, image_address, pages, flags };
		if (self_writer_send(w->self.self, address, pages) < 0 && give_up(w, err_text()) < 0)
			return -1;
		address += pages * PAGE;
		image_address += pages * PAGE;
		size -= pages * PAGE;
	}
	if (size) {
		struct page_source by_reading = *source;

		by_reading.self = NULL;
		return add_by_reading(w, &by_reading, address, image_address, size, true, flags);
	}
	return 0;
}

/* --- all --- */

int page_writer_add(struct page_writer *w, const struct page_source *source, uint64_t address, uint64_t image_address, uint64_t size,
		    bool skip_zeros, uint32_t flags)
{
	if (source->self && skip_zeros && size >= SELF_FROM && !w->remote && !w->self_failed)
		return add_by_itself(w, source, address, image_address, size, flags);
	return settle(w) < 0 ? -1 : add_by_reading(w, source, address, image_address, size, skip_zeros, flags);
}

static int add_by_reading(struct page_writer *w, const struct page_source *source, uint64_t address, uint64_t image_address, uint64_t size,
		    bool skip_zeros, uint32_t flags)
{
	while (size) {
		struct chunk *chunk = &w->chunks[w->filled % CHUNKS];
		size_t n = CHUNK_SIZE - chunk->size, kept;

		if (!chunk->data)
			chunk->data = xrealloc(NULL, CHUNK_SIZE);
		if (n > size)
			n = size;
		kept = n;
		if (page_source_read(source, address, chunk->data + chunk->size, &kept) < 0)
			return -1;
		if (!kept) {
			address += PAGE;
			image_address += PAGE;
			size -= PAGE;
			continue;
		}
		n = kept;
		if (squeeze(w, chunk->data + chunk->size, &kept, image_address, skip_zeros, flags) < 0)
			return -1;
		chunk->size += kept;
		w->read_bytes += n;
		progress_add(n);
		address += n;
		image_address += n;
		size -= n;
		if (chunk->size == CHUNK_SIZE && next_chunk(w) < 0)
			return -1;
	}
	return 0;
}

int page_writer_leave(struct page_writer *w, uint64_t image_address, uint64_t size)
{
	return settle(w) < 0 ? -1 : note_pages(w, image_address, size / PAGE, PE_LAZY);
}

int page_writer_refer(struct page_writer *w, uint64_t image_address, uint64_t size)
{
	return settle(w) < 0 ? -1 : note_pages(w, image_address, size / PAGE, PE_PARENT);
}

int page_writer_close(struct page_writer *w, uint64_t *written)
{
	int result = 0;

	if (w->remote)
		result = send_chunk(w, &w->chunks[0]);
	else if (settle(w) < 0 || (w->pages && end_run(w) < 0))
		result = -1;
	if (w->async) {
		pthread_mutex_lock(&w->lock);
		w->filled++;
		w->ending = true;
		pthread_cond_broadcast(&w->changed);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
		if (w->write_errno)
			result = write_failed(w, w->write_errno);
	} else if (!w->remote && w->chunks[w->filled % CHUNKS].size && write_chunk(w, &w->chunks[w->filled % CHUNKS]) < 0) {
		result = write_failed(w, errno);
	}
	if (w->expected)
		trim(w);
	if (img_close(w->pages) < 0 || img_close(w->pagemap) < 0)
		result = -1;
	for (size_t i = 0; i < CHUNKS; i++)
		free(w->chunks[i].data);
	if (written)
		*written += w->written;
	free(w->runs);
	free(w);
	return result;
}
