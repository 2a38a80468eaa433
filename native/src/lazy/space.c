/* SPDX-License-Identifier: MIT */
#include "lazy/space.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "resource/page_reader.h"

void lazy_space_fill(struct lazy_space *space, const struct page_runs *runs)
{
	for (size_t i = 0; i < runs->count; i++) {
		const struct page_run *r = &runs->runs[i];
		struct lazy_piece *p;

		if (!r->lazy)
			continue;
		p = array_push(&space->pieces, &space->count, &space->room, sizeof(*space->pieces));
		*p = (struct lazy_piece){ r->address, r->address + r->size, r->address };
	}
}

void lazy_space_copy(struct lazy_space *to, const struct lazy_space *from)
{
	*to = (struct lazy_space){ .count = from->count - from->first, .room = from->count - from->first };
	to->pieces = xrealloc(NULL, (to->room + 1) * sizeof(*to->pieces));
	memcpy(to->pieces, from->pieces + from->first, to->count * sizeof(*to->pieces));
}

/* The first piece that ends behind the address; count when there is none. */
static size_t search(const struct lazy_space *space, uint64_t address)
{
	size_t low = space->first, high = space->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->pieces[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct lazy_piece *lazy_space_find(const struct lazy_space *space, uint64_t address)
{
	size_t i = search(space, address);

	return i < space->count && space->pieces[i].start <= address ? &space->pieces[i] : NULL;
}

const struct lazy_piece *lazy_space_first(const struct lazy_space *space)
{
	return space->first < space->count ? &space->pieces[space->first] : NULL;
}

static void insert(struct lazy_space *space, struct lazy_piece piece)
{
	size_t i = search(space, piece.start);

	array_push(&space->pieces, &space->count, &space->room, sizeof(*space->pieces));
	memmove(&space->pieces[i + 1], &space->pieces[i], (space->count - 1 - i) * sizeof(*space->pieces));
	space->pieces[i] = piece;
}

void lazy_space_remove(struct lazy_space *space, uint64_t start, uint64_t end)
{
	size_t i = search(space, start), last;

	if (start >= end || i == space->count || space->pieces[i].start >= end)
		return;
	if (space->pieces[i].start < start) {
		struct lazy_piece rest = space->pieces[i];

		space->pieces[i].end = start;
		if (rest.end > end) {
			rest.image += end - rest.start;
			rest.start = end;
			insert(space, rest);
			return;
		}
		i++;
	}
	for (last = i; last < space->count && space->pieces[last].end <= end; last++)
		;
	if (last < space->count && space->pieces[last].start < end) {
		space->pieces[last].image += end - space->pieces[last].start;
		space->pieces[last].start = end;
	}
	/* Filling goes from the front: nothing is moved then. */
	if (i == space->first) {
		space->first = last;
		return;
	}
	memmove(&space->pieces[i], &space->pieces[last], (space->count - last) * sizeof(*space->pieces));
	space->count -= last - i;
}

void lazy_space_move(struct lazy_space *space, uint64_t from, uint64_t to, uint64_t size)
{
	struct lazy_piece *moved = NULL;
	size_t count = 0, room = 0;

	if (from == to)
		return;
	for (size_t i = search(space, from); i < space->count && space->pieces[i].start < from + size; i++) {
		struct lazy_piece p = space->pieces[i];

		if (p.start < from) {
			p.image += from - p.start;
			p.start = from;
		}
		if (p.end > from + size)
			p.end = from + size;
		p.start = p.start - from + to;
		p.end = p.end - from + to;
		*(struct lazy_piece *)array_push(&moved, &count, &room, sizeof(*moved)) = p;
	}
	lazy_space_remove(space, from, from + size);
	lazy_space_remove(space, to, to + size);
	for (size_t i = 0; i < count; i++)
		insert(space, moved[i]);
	free(moved);
}

uint64_t lazy_space_size(const struct lazy_space *space)
{
	uint64_t size = 0;

	for (size_t i = space->first; i < space->count; i++)
		size += space->pieces[i].end - space->pieces[i].start;
	return size;
}

void lazy_space_free(struct lazy_space *space)
{
	free(space->pieces);
	*space = (struct lazy_space){ 0 };
}
