/* SPDX-License-Identifier: MIT
 *
 * Page contents back from the images: pagemap-N.img says which pages are in pages-ID.img, in order.
 */
#ifndef PCR_RESOURCE_PAGE_READER_H
#define PCR_RESOURCE_PAGE_READER_H

#include <stddef.h>
#include <stdint.h>

/* Pages next to each other in memory and in the file. */
struct page_run {
	uint64_t address, size, offset; /* bytes; offset in the pages image */
};

struct page_runs {
	struct page_run *runs; /* ascending, disjoint */
	size_t count, room;
	uint64_t size; /* bytes of all runs: those of the pages image */
	uint32_t pages_id;
	char name[64]; /* of the pagemap image */
};

/* Reads a pagemap image and checks it against itself and its pages image. kind: IMG_PAGEMAP or IMG_SHMEM_PAGEMAP. Returns NULL with
 * the error set; optional: also without the error set when there is no such image. */
struct page_runs *page_runs_read(int dirfd, int kind, unsigned long id, int optional);

/* Where in our memory an address of the images is: returns it and the number of bytes that lie together there, or NULL (the pages
 * are passed over) with the number of bytes that this holds for. */
typedef void *(*page_target_fn)(void *arg, uint64_t address, uint64_t *size);

/* Reads all runs into memory, in parallel when that pays. Returns 0 or -1 with the error set. */
int page_runs_load(const struct page_runs *runs, int dirfd, page_target_fn target, void *arg);

/* Reads size bytes at address into buffer. Returns 1, 0 when the images have not all of them, -1 with the error set. */
int page_runs_peek(const struct page_runs *runs, int dirfd, uint64_t address, void *buffer, size_t size);

void page_runs_free(struct page_runs *runs);

#endif
