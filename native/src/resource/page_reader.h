/* SPDX-License-Identifier: MIT
 *
 * Page contents back from the images: pagemap-N.img says which pages are in pages-ID.img, in order. A page that an incremental dump
 * left out is looked up in the dump that the link `parent` in the images directory leads to, and so on.
 */
#ifndef PCR_RESOURCE_PAGE_READER_H
#define PCR_RESOURCE_PAGE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages next to each other in memory and in the file. */
struct page_run {
	uint64_t address, size, offset; /* bytes; offset in the pages image */
	uint32_t level; /* of the chain: 0 this dump, 1 its parent, ... */
	bool lazy; /* a lazy restore may leave them to the lazy-pages daemon */
	bool absent; /* not in the images: whoever made the dump serves them (dump --lazy-pages) */
};

/* The images of one dump of the chain. */
struct page_level {
	uint32_t pages_id;
	uint64_t size; /* bytes of its pages image */
};

struct page_runs {
	struct page_run *runs; /* ascending, disjoint */
	size_t count, room;
	uint64_t size; /* bytes of all runs */
	struct page_level *levels;
	size_t level_count, level_room;
	char name[64]; /* of the pagemap image */
};

/* Reads a pagemap image, and those of the parents as far as it needs them, and checks each against itself and its pages image. kind:
 * IMG_PAGEMAP or IMG_SHMEM_PAGEMAP. Returns NULL with the error set (also for a page that is in none of the parents); optional: also
 * without the error set when there is no such image. */
struct page_runs *page_runs_read(int dirfd, int kind, unsigned long id, int optional);

/* The same, with runs that are absent; without it those are refused. */
struct page_runs *page_runs_read_lazy(int dirfd, unsigned long id);

/* Only the pages that this dump holds itself; no parent is looked at. */
struct page_runs *page_runs_read_own(int dirfd, int kind, unsigned long id, int optional);

/* Where in our memory an address of the images is: returns it and the number of bytes that lie together there, or NULL (the pages
 * are passed over) with the number of bytes that this holds for. */
typedef void *(*page_target_fn)(void *arg, uint64_t address, uint64_t *size);

/* Reads all runs into memory, in parallel when that pays. Returns 0 or -1 with the error set. */
int page_runs_load(const struct page_runs *runs, int dirfd, page_target_fn target, void *arg);

/* Opens the pages images that some run is in. Returns malloc'd descriptors by level, -1 where none is needed, or NULL with the error set. */
int *page_runs_open(const struct page_runs *runs, int dirfd);

/* Reads size bytes at address into buffer. Returns 1, 0 when the images have not all of them, -1 with the error set. */
int page_runs_peek(const struct page_runs *runs, int dirfd, uint64_t address, void *buffer, size_t size);

/* Gives the disk space of all runs back, level by level (fallocate(2), FALLOC_FL_PUNCH_HOLE): the images cannot be restored any more.
 * Returns 0 or -1 with the error set. */
int page_runs_punch(const struct page_runs *runs, int dirfd);

void page_runs_free(struct page_runs *runs);

#endif
