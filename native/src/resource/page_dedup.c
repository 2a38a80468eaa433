/* SPDX-License-Identifier: MIT */
#include "resource/page_dedup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/page_reader.h"

/* As in page_reader.c: an end to a chain that goes in a circle. */
#define CHAIN_MAX 512

/* Punches what `newer` holds out of `older`, which is what one earlier dump holds itself, in its own directory. *bytes: how much. */
static int punch_covered(const struct page_runs *newer, const struct page_runs *older, int dirfd, uint64_t *bytes)
{
	struct page_runs cut = *older;
	size_t next = 0;
	int result;

	cut.runs = NULL;
	cut.count = cut.room = 0;
	for (size_t i = 0; i < older->count; i++) {
		const struct page_run *o = &older->runs[i];

		while (next < newer->count && newer->runs[next].address + newer->runs[next].size <= o->address)
			next++;
		for (size_t j = next; j < newer->count && newer->runs[j].address < o->address + o->size; j++) {
			const struct page_run *n = &newer->runs[j];
			uint64_t start = n->address > o->address ? n->address : o->address;
			uint64_t end = n->address + n->size < o->address + o->size ? n->address + n->size : o->address + o->size;
			struct page_run *c = array_push(&cut.runs, &cut.count, &cut.room, sizeof(*c));

			*c = (struct page_run){ start, end - start, o->offset + (start - o->address), 0 };
			*bytes += end - start;
		}
	}
	result = page_runs_punch(&cut, dirfd);
	free(cut.runs);
	return result;
}

/* One pagemap image against those of all dumps before. */
static int dedup_image(int dirfd, int kind, unsigned long id, uint64_t *bytes)
{
	struct page_runs *newer = page_runs_read_own(dirfd, kind, id, false);
	int at = dirfd, result = newer ? 0 : -1;

	for (int depth = 0; !result && depth < CHAIN_MAX; depth++) {
		int parent = faccessat(at, "parent", F_OK, 0) == 0 ? img_open_parent(at) : -1;
		struct page_runs *older;

		if (at != dirfd)
			close(at);
		at = parent;
		if (at < 0) {
			result = err_code() ? -1 : 0;
			break;
		}
		older = page_runs_read_own(at, kind, id, true);
		if (!older && err_code())
			result = -1;
		if (older)
			result = punch_covered(newer, older, at, bytes);
		page_runs_free(older);
	}
	if (at != dirfd && at >= 0)
		close(at);
	page_runs_free(newer);
	return result;
}

int page_dedup(int dirfd)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	uint64_t bytes = 0;
	struct dirent *d;

	if (!dir)
		return err_errno("cannot read the images directory");
	while ((d = readdir(dir)) && !result) {
		unsigned long id;
		int end = 0;

		if (sscanf(d->d_name, "pagemap-%lu.img%n", &id, &end) == 1 && end && !d->d_name[end])
			result = dedup_image(dirfd, IMG_PAGEMAP, id, &bytes);
		else if (sscanf(d->d_name, "pagemap-shmem-%lu.img%n", &id, &end) == 1 && end && !d->d_name[end])
			result = dedup_image(dirfd, IMG_SHMEM_PAGEMAP, id, &bytes);
	}
	closedir(dir);
	if (!result)
		pr_info("%llu KiB of earlier dumps are not needed any more and were given back", (unsigned long long)bytes >> 10);
	return result;
}

int page_dedup_chain(int dirfd)
{
	int at = dirfd, result = 0;

	for (int depth = 0; !result && at >= 0 && depth < CHAIN_MAX; depth++) {
		int parent;

		result = page_dedup(at);
		parent = !result && faccessat(at, "parent", F_OK, 0) == 0 ? img_open_parent(at) : -1;
		if (!result && parent < 0 && err_code())
			result = -1;
		if (at != dirfd)
			close(at);
		at = parent;
	}
	if (at != dirfd && at >= 0)
		close(at);
	return result;
}
