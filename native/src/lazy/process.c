/* SPDX-License-Identifier: MIT */
#include "lazy/process.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

/* What is brought beside a page that a thread waits for, and in one go when nobody waits: not to keep the next one waiting. */
#define AROUND (64UL << 10)
#define CHUNK (512UL << 10)
/* Linux 6.6, linux/userfaultfd.h */
struct poison {
	struct uffdio_range range;
	uint64_t mode;
	int64_t updated;
};
#define POISON _IOWR(UFFDIO, 0x08, struct poison)

static char *buffer(void)
{
	static char *room;

	if (!room)
		room = xrealloc(NULL, CHUNK);
	return room;
}

/* --- what it tells --- */

static void wait_for(struct lazy_process *p, uint64_t address)
{
	for (size_t i = 0; i < p->waiting_count; i++)
		if (p->waiting[i] == address)
			return;
	*(uint64_t *)array_push(&p->waiting, &p->waiting_count, &p->waiting_room, sizeof(*p->waiting)) = address;
}

int lazy_process_listen(struct lazy_process *p, void (*forked)(struct lazy_process *parent, int uffd))
{
	struct uffd_msg messages[16];
	ssize_t n;

	while ((n = read(p->uffd, messages, sizeof(messages))) > 0) {
		for (size_t i = 0; i < n / sizeof(*messages); i++) {
			const struct uffd_msg *m = &messages[i];

			switch (m->event) {
			case UFFD_EVENT_PAGEFAULT:
				wait_for(p, m->arg.pagefault.address & ~(PAGE - 1));
				break;
			case UFFD_EVENT_FORK:
				forked(p, m->arg.fork.ufd);
				break;
			case UFFD_EVENT_REMAP:
				lazy_space_move(&p->space, m->arg.remap.from, m->arg.remap.to, m->arg.remap.len);
				break;
			case UFFD_EVENT_REMOVE:
			case UFFD_EVENT_UNMAP:
				lazy_space_remove(&p->space, m->arg.remove.start, m->arg.remove.end);
				break;
			default:
				return err_set(ENOTSUP, "pid %u: userfaultfd event 0x%x is not known", p->source->pid, m->event);
			}
		}
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return err_errno("pid %u: cannot read its userfaultfd", p->source->pid);
	return 0;
}

/* --- what it gets --- */

static void wake(const struct lazy_process *p, uint64_t at)
{
	struct uffdio_range range = { at, PAGE };

	ioctl(p->uffd, UFFDIO_WAKE, &range);
}

/* What has come of an attempt: 1 done, 0 not yet, an event must be read first, -1 with the error set. */
static int outcome(struct lazy_process *p, uint64_t at)
{
	switch (errno) {
	case EEXIST: /* a child that shares the page with its parent */
	case ENOENT: /* nothing is mapped there any more, or not by the restore */
		wake(p, at);
		return 1;
	case EAGAIN:
	case EINTR:
		return 0;
	case ESRCH:
		p->gone = true;
		return 0;
	}
	return err_errno("pid %u: cannot bring the page at 0x%" PRIx64, p->source->pid, at);
}

/* Returns 1 when all is there, 0 when an event must be read first, -1 with the error set. */
static int put(struct lazy_process *p, uint64_t at, const char *from, uint64_t size)
{
	uint64_t step = size;

	while (size) {
		struct uffdio_copy copy = { .dst = at, .src = (uint64_t)from, .len = step < size ? step : size };
		uint64_t done = 0;
		int result;

		if (ioctl(p->uffd, UFFDIO_COPY, &copy) == 0) {
			done = copy.len;
		} else if (copy.copy > 0) {
			done = copy.copy;
		} else if (errno == ENOENT && copy.len > PAGE) {
			/* Not all of it is one mapping. */
			step = PAGE;
			continue;
		} else {
			result = outcome(p, at);
			if (result <= 0)
				return result;
			done = PAGE;
		}
		lazy_space_remove(&p->space, at, at + done);
		at += done;
		from += done;
		size -= done;
	}
	return 1;
}

static int put_zeros(struct lazy_process *p, uint64_t at)
{
	struct uffdio_zeropage zero = { .range = { at, PAGE } };

	return ioctl(p->uffd, UFFDIO_ZEROPAGE, &zero) == 0 ? 1 : outcome(p, at);
}

/* [start, end) of a piece, whole pages, no more than a chunk. */
static int bring(struct lazy_process *p, const struct lazy_piece *piece, uint64_t start, uint64_t end)
{
	uint64_t image = piece->image + (start - piece->start);

	if (lazy_source_read(p->source, image, buffer(), end - start) < 0)
		return -1;
	return put(p, start, buffer(), end - start);
}

static int answer(struct lazy_process *p, uint64_t at)
{
	const struct lazy_piece *piece = lazy_space_find(&p->space, at);
	uint64_t start = at & ~(AROUND - 1), end = start + AROUND;
	int result;

	if (!piece)
		return put_zeros(p, at);
	start = start < piece->start ? piece->start : start;
	end = end > piece->end ? piece->end : end;
	/* The page itself first: it may be in another mapping than those beside it. */
	result = bring(p, piece, at, end);
	if (result <= 0 || start == at)
		return result;
	piece = lazy_space_find(&p->space, start);
	return piece && piece->end == at ? bring(p, piece, start, at) : 1;
}

int lazy_process_answer(struct lazy_process *p)
{
	size_t left = 0;

	for (size_t i = 0; i < p->waiting_count && !p->gone; i++) {
		int result = answer(p, p->waiting[i]);

		if (result < 0)
			return -1;
		if (!result)
			p->waiting[left++] = p->waiting[i];
	}
	p->waiting_count = p->gone ? 0 : left;
	return 0;
}

int lazy_process_fill(struct lazy_process *p)
{
	const struct lazy_piece *piece = lazy_space_first(&p->space);
	uint64_t end = piece ? piece->end : 0;

	if (!piece)
		return 0;
	return bring(p, piece, piece->start, end - piece->start > CHUNK ? piece->start + CHUNK : end) < 0 ? -1 : 0;
}

void lazy_process_poison(struct lazy_process *p)
{
	for (const struct lazy_piece *piece; (piece = lazy_space_first(&p->space));) {
		uint64_t at = piece->start, end = piece->end;

		while (at < end) {
			struct poison poison = { .range = { at, end - at } };
			bool done = ioctl(p->uffd, POISON, &poison) == 0;

			if (!done && (errno == ESRCH || errno == EINVAL || errno == ENOTTY))
				return;
			at = done ? end : at + (poison.updated > 0 ? (uint64_t)poison.updated : PAGE);
		}
		lazy_space_remove(&p->space, piece->start, end);
	}
}
