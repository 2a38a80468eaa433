/* SPDX-License-Identifier: MIT
 *
 * Where the lazy-pages daemon gets pages from: the images, or for those that are absent there whoever made the dump (pageserver/wire.h).
 */
#ifndef PCR_LAZY_SOURCE_H
#define PCR_LAZY_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/request.h"

struct page_runs;

/* The pages of one process of the images. */
struct lazy_source {
	uint32_t pid; /* in the images */
	struct page_runs *runs;
	int *fds; /* pages images, by level */
};

/* Connects to the page server when request has one. Returns 0 or -1 with the error set. */
int lazy_server_connect(const struct request *request);

/* All has arrived: the server may let go of the processes. Returns 0 or -1 with the error set; 0 without a server. */
int lazy_server_end(void);

/* Reads the page map of the process. Returns 0 or -1 with the error set: also for a page that nobody has. */
int lazy_source_open(struct lazy_source *source, int dirfd, uint32_t pid);

/* Brings pages: address in the images and size in bytes, whole pages; all of them must be noted. Returns 0 or -1 with the error set. */
int lazy_source_read(const struct lazy_source *source, uint64_t address, void *to, size_t size);

#endif
