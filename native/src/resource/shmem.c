/* SPDX-License-Identifier: MIT */
#include "resource/shmem.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/page_reader.h"
#include "tree/restore_tree.h"

/* --- restore --- */

long shmem_use(struct restore *restore, struct restore_task *task, uint64_t id, uint64_t end)
{
	struct restore_shmem *s;
	size_t i = 0;

	while (i < restore->shmem_count && restore->shmems[i].id != id)
		i++;
	if (i == restore->shmem_count) {
		s = array_push(&restore->shmems, &restore->shmem_count, &restore->shmem_room, sizeof(*s));
		s->id = id;
	}
	s = &restore->shmems[i];
	s->owner = restore_common_ancestor(s->owner, task);
	if (end > s->size)
		s->size = end;
	return i;
}

int shmem_read_all(struct restore *restore)
{
	for (size_t i = 0; i < restore->shmem_count; i++) {
		struct restore_shmem *s = &restore->shmems[i];
		const struct page_run *last;

		s->pages = page_runs_read(restore->dirfd, IMG_SHMEM_PAGEMAP, s->id, true);
		if (!s->pages && err_code())
			return -1;
		if (!s->pages || !s->pages->count)
			continue;
		last = &s->pages->runs[s->pages->count - 1];
		if (last->address + last->size > s->size) {
			/* Nobody maps the end now; mremap(2) may show it again. */
			if (last->address + last->size > (1UL << 46))
				return err_set(EINVAL, "%s: pages at 0x%" PRIx64, s->pages->name, last->address);
			s->size = last->address + last->size;
		}
	}
	return 0;
}

static void *target(void *arg, uint64_t address, uint64_t *size)
{
	const struct restore_shmem *s = arg;

	return s->at + address;
}

int shmem_create(struct restore *restore, struct restore_task *task)
{
	for (size_t i = 0; i < restore->shmem_count; i++) {
		struct restore_shmem *s = &restore->shmems[i];

		if (s->owner != task)
			continue;
		s->at = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (s->at == MAP_FAILED)
			return err_errno("cannot make %" PRIu64 " bytes of shared memory (segment %" PRIu64 ")", s->size, s->id);
		if (s->pages && page_runs_load(s->pages, restore->dirfd, target, s) < 0)
			return err_context("shared memory segment %" PRIu64, s->id);
	}
	return 0;
}
