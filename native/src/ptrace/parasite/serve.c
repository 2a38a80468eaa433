/* SPDX-License-Identifier: MIT
 *
 * Memory that writes itself: write(2) from where the pages are moves them into the file with one copy, where pcr would read them
 * into a buffer first.
 */
#include "ptrace/parasite/serve.h"

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#include "ptrace/copy_protocol.h"
#include "ptrace/parasite/sys.h"
#include "ptrace/parasite_args.h"

#define PAGE 4096UL
#define ESRCH 3
#define EINTR 4
#define EIO 5
#define AF_UNIX 1
#define SOCK_SEQPACKET_CLOEXEC (5 | 02000000)
#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define POLLIN 1
/* How long it waits for pcr's first word, between looks whether pcr is still there. */
#define LOOKS 250
#define LOOK_MS 20
#define PARTS 128

/* As the kernel has them: struct msghdr, cmsghdr with one descriptor, pollfd, iovec. */
struct part {
	uint64_t base, size;
};

struct message {
	void *name;
	uint32_t name_size, pad;
	struct part *parts;
	uint64_t part_count;
	void *control;
	uint64_t control_size;
	uint32_t flags, pad2;
};

struct control {
	uint64_t size;
	int32_t level, type, fd, pad;
};

struct poll_fd {
	int32_t fd;
	int16_t events, revents;
};

/* In the area: the stacks there are small. */
struct room {
	struct copy_request request;
	struct copy_reply reply;
	struct control control;
	struct message message;
	struct part request_part;
	struct part parts[PARTS];
	long file, error;
};
_Static_assert(sizeof(struct room) <= PARASITE_COPY_ROOM - 2048, "room for the stack, too");

static int is_zero(const uint64_t *p)
{
	for (unsigned long i = 0; i < PAGE / 8; i += 8)
		if (p[i] | p[i + 1] | p[i + 2] | p[i + 3] | p[i + 4] | p[i + 5] | p[i + 6] | p[i + 7])
			return 0;
	return 1;
}

static long write_parts(struct room *room, unsigned long count)
{
	struct part *part = room->parts;

	while (count) {
		long n = sys(__NR_writev, room->file, (long)part, count, 0, 0);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? n : -EIO;
		while (count && (uint64_t)n >= part->size) {
			n -= part->size;
			part++;
			count--;
		}
		if (count) {
			part->base += n;
			part->size -= n;
		}
	}
	return 0;
}

static void write_pages(struct room *room)
{
	uint64_t address = room->request.address, pages = room->request.pages;
	unsigned long count = 0;

	for (unsigned long i = 0; i < sizeof(room->reply.zeros); i++)
		room->reply.zeros[i] = 0;
	for (uint64_t i = 0; i < pages && i < COPY_PAGES_MAX && !room->error; i++, address += PAGE) {
		if (is_zero((const uint64_t *)address)) {
			room->reply.zeros[i / 8] |= 1 << i % 8;
			continue;
		}
		if (count && room->parts[count - 1].base + room->parts[count - 1].size == address) {
			room->parts[count - 1].size += PAGE;
			continue;
		}
		if (count == PARTS) {
			room->error = write_parts(room, count);
			count = 0;
		}
		room->parts[count].base = address;
		room->parts[count++].size = PAGE;
	}
	if (!room->error)
		room->error = write_parts(room, count);
	room->reply.error = room->error;
}

/* Returns 0 when pcr is gone. */
static int receive(struct room *room)
{
	struct message *m = &room->message;
	long n;

	room->request_part.base = (uint64_t)&room->request;
	room->request_part.size = sizeof(room->request);
	m->name = NULL;
	m->name_size = 0;
	m->parts = &room->request_part;
	m->part_count = 1;
	m->control = &room->control;
	m->control_size = sizeof(room->control);
	m->flags = 0;
	while ((n = sys(__NR_recvmsg, 0, (long)m, 0, 0, 0)) == -EINTR)
		;
	if (n != sizeof(room->request))
		return 0;
	if (m->control_size >= offsetof(struct control, pad) && room->control.level == SOL_SOCKET && room->control.type == SCM_RIGHTS) {
		if (room->file >= 0)
			sys(__NR_close, room->file, 0, 0, 0, 0);
		room->file = room->control.fd;
		room->error = 0;
	}
	return 1;
}

/* Until pcr has taken the other end and said something. */
static int await_pcr(const struct parasite_args *args)
{
	struct poll_fd p = { 0, POLLIN, 0 };

	for (int i = 0; i < LOOKS; i++) {
		if (sys(__NR_poll, (long)&p, 1, LOOK_MS, 0, 0) > 0)
			return 1;
		if (sys(__NR_kill, args->pcr_pid, 0, 0, 0, 0) == -ESRCH)
			return 0;
	}
	return 0;
}

void serve(struct parasite_args *args)
{
	struct room *room = (struct room *)args->copy_room;
	int32_t pair[2];

	if (sys(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET_CLOEXEC, 0, (long)pair, 0) < 0 || pair[0] != 0 || pair[1] != 1)
		return;
	__atomic_store_n(&args->copy_ready, 1, __ATOMIC_SEQ_CST);
	if (!await_pcr(args))
		return;
	sys(__NR_close, 1, 0, 0, 0, 0);
	room->file = -1;
	room->error = 0;
	while (receive(room)) {
		long n;

		if (!room->request.pages)
			continue;
		write_pages(room);
		while ((n = sys6(__NR_sendto, 0, (long)&room->reply, sizeof(room->reply), 040000 /* MSG_NOSIGNAL */, 0, 0)) == -EINTR)
			;
		if (n < 0)
			return;
	}
}
