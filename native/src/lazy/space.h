/* SPDX-License-Identifier: MIT
 *
 * What is still missing in the memory of one restored process, address by address, and where in the images it is. Only that: what is not
 * noted here is there already, or the program has given it back, and reads as zeros.
 */
#ifndef PCR_LAZY_SPACE_H
#define PCR_LAZY_SPACE_H

#include <stddef.h>
#include <stdint.h>

struct page_runs;

/* All in bytes, page by page. */
struct lazy_piece {
	uint64_t start, end; /* now */
	uint64_t image; /* address that start had in the images */
};

struct lazy_space {
	struct lazy_piece *pieces; /* ascending, disjoint; those before `first` are done */
	size_t first, count, room;
};

/* Everything lazy that the images have. */
void lazy_space_fill(struct lazy_space *space, const struct page_runs *runs);

/* The same for a child that has been forked. */
void lazy_space_copy(struct lazy_space *to, const struct lazy_space *from);

/* The piece that has the address, or NULL. Valid until the next change. */
const struct lazy_piece *lazy_space_find(const struct lazy_space *space, uint64_t address);

/* The lowest piece, or NULL when nothing is missing. */
const struct lazy_piece *lazy_space_first(const struct lazy_space *space);

/* Forgets [start, end): filled in, unmapped or given back. */
void lazy_space_remove(struct lazy_space *space, uint64_t start, uint64_t end);

/* mremap(2): what was missing at [from, from + size) is missing at `to` now, and what was noted there is gone. */
void lazy_space_move(struct lazy_space *space, uint64_t from, uint64_t to, uint64_t size);

/* Bytes that are missing. */
uint64_t lazy_space_size(const struct lazy_space *space);

void lazy_space_free(struct lazy_space *space);

#endif
