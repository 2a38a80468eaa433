/* SPDX-License-Identifier: MIT */
#include "pageserver/server.h"

#include <errno.h>
#include <sys/pidfd.h>
#include <poll.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/null_stdio.h"
#include "cli/ready.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/pagemap.pb-c.h"
#include "pageserver/listen.h"
#include "pageserver/wire.h"
#include "resource/page_dedup.h"
#include "resource/page_writer.h"

#define BUFFER_SIZE (1UL << 20)
#define OPENS_MAX (1U << 20) /* images in one dump */
/* As CRIU's page servers number them: a dump's own pages-N.img, written elsewhere, may be put beside these. */
#define PAGES_ID_FIRST 0x10001

struct server {
	const struct request *request;
	int socket;
	struct img *pagemap, *pages;
	uint64_t id; /* of the pair that is open */
	uint32_t pages_id;
	uint64_t received; /* pages */
	char *buffer;
};

int page_server_listen(const struct request *request, uint16_t *port)
{
	if (request->parent_img && img_link_parent(request->images_fd, request->parent_img) < 0)
		return -1;
	*port = request->ps_fd >= 0 ? 0 : request->ps_port;
	return request->ps_fd >= 0 ? fcntl(request->ps_fd, F_DUPFD_CLOEXEC, 3) : ps_listen(request->ps_address, port);
}

/* Returns 1, 0 at the end of the connection, -1 with the error set. */
static int receive(struct server *s, void *to, size_t size, bool may_end)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = recv(s->socket, (char *)to + at, size - at, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno("page server: the connection broke");
		if (n == 0)
			return !at && may_end ? 0 : err_set(ECONNRESET, "page server: the dump hung up in the middle");
		at += n;
	}
	return 1;
}

static int answer(struct server *s, const void *data, size_t size)
{
	return send(s->socket, data, size, MSG_NOSIGNAL) == (ssize_t)size ? 0 : err_errno("page server: cannot answer");
}

static int close_pair(struct server *s)
{
	int result = 0;

	if (img_close(s->pages) < 0 || img_close(s->pagemap) < 0)
		result = -1;
	s->pages = s->pagemap = NULL;
	return result;
}

/* Whether the directory of the dump before (link "parent", criu(8) --prev-images-dir) has the same pagemap. */
static bool parent_has(const struct server *s, enum img_kind kind, unsigned long number)
{
	auto_fd dir = openat(s->request->images_fd, "parent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_img *img = dir < 0 ? NULL : img_open(dir, kind, number, true);

	err_clear();
	return img != NULL;
}

static int open_pair(struct server *s, const struct ps_request *r)
{
	PagemapHead head = PAGEMAP_HEAD__INIT;
	unsigned long number = r->id >> 8;
	enum img_kind kind = (r->id & 0xff) == PS_KIND_TASK ? IMG_PAGEMAP : IMG_SHMEM_PAGEMAP;
	uint8_t has_parent;

	if (((r->id & 0xff) != PS_KIND_TASK && (r->id & 0xff) != PS_KIND_SHMEM) || number > UINT32_MAX)
		return err_set(EPROTO, "page server: memory of unknown kind (0x%" PRIx64 ")", r->id);
	if (s->pages_id >= PAGES_ID_FIRST + OPENS_MAX)
		return err_set(EPROTO, "page server: too many images");
	if (close_pair(s) < 0)
		return -1;
	has_parent = parent_has(s, kind, number);
	s->id = r->id;
	s->pagemap = img_create(s->request->images_fd, kind, number);
	s->pages = s->pagemap ? img_create(s->request->images_fd, IMG_PAGES, s->pages_id) : NULL;
	head.pages_id = s->pages_id++;
	if (!s->pages || img_write(s->pagemap, &head.base) < 0)
		return -1;
	pr_debug("page server: %s", img_name(s->pagemap));
	return answer(s, &has_parent, 1);
}

static int take_contents(struct server *s, uint64_t size)
{
	int fd = img_fd(s->pages);

	while (size) {
		size_t n = size < BUFFER_SIZE ? size : BUFFER_SIZE;

		if (receive(s, s->buffer, n, false) < 0)
			return -1;
		if (write_all(fd, s->buffer, n) < 0)
			return err_errno("cannot write %s", img_name(s->pages));
		size -= n;
	}
	return fd < 0 ? -1 : 0;
}

static int add_run(struct server *s, const struct ps_request *r)
{
	PagemapEntry e = PAGEMAP_ENTRY__INIT;
	uint32_t flags = r->command >> 16;

	if (!s->pages || r->id != s->id)
		return err_set(EPROTO, "page server: pages of 0x%" PRIx64 ", which is not open", r->id);
	if (!r->pages || r->vaddr % PAGE || r->vaddr + r->pages * PAGE < r->vaddr || !flags || flags & ~(PE_PARENT | PE_LAZY | PE_PRESENT))
		return err_set(EPROTO, "page server: %u pages at 0x%" PRIx64 " with flags 0x%x", r->pages, r->vaddr, flags);
	e.vaddr = r->vaddr;
	e.compat_nr_pages = r->pages;
	e.has_nr_pages = true;
	e.nr_pages = r->pages;
	e.has_flags = true;
	e.flags = flags;
	if (img_write(s->pagemap, &e.base) < 0)
		return -1;
	s->received += flags & PE_PRESENT ? r->pages : 0;
	return flags & PE_PRESENT ? take_contents(s, r->pages * PAGE) : 0;
}

/* Until the dump says that this was all. */
static int take_memory(struct server *s)
{
	struct ps_request r;
	int32_t done = 0;
	bool flushed = false;

	for (;;) {
		int got = receive(s, &r, sizeof(r), flushed);

		if (got <= 0)
			return got;
		flushed = false;
		switch (r.command & 0xffff) {
		case PS_OPEN:
			if (open_pair(s, &r) < 0)
				return -1;
			break;
		case PS_ADD:
			if (add_run(s, &r) < 0)
				return -1;
			break;
		case PS_CLOSE:
			flushed = true;
			if (close_pair(s) < 0 || answer(s, &done, sizeof(done)) < 0)
				return -1;
			break;
		default:
			return err_set(EPROTO, "page server: request 0x%x is not known", r.command);
		}
	}
}

int page_server_serve(const struct request *request, int fd)
{
	struct server s = { .request = request, .pages_id = PAGES_ID_FIRST };
	int result;

	img_keep_created();
	s.socket = ps_accept(fd);
	if (s.socket != fd)
		close(fd);
	if (s.socket < 0)
		return -1;
	s.buffer = xrealloc(NULL, BUFFER_SIZE);
	result = take_memory(&s);
	if (close_pair(&s) < 0)
		result = -1;
	close(s.socket);
	free(s.buffer);
	if (result < 0)
		img_remove_created();
	else
		pr_info("page server: %" PRIu64 " pages received", s.received);
	if (!result && request->auto_dedup && page_dedup(request->images_fd) < 0) {
		pr_warn("page server: the space of pages that came anew was not given back: %s", err_text());
		err_clear();
	}
	return result;
}

/* A service that was killed leaves nobody listening: whoever was to connect has lost it, too. */
static int await_client(int fd, int leash)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = leash, .events = POLLIN } };

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return err_errno("page server: cannot wait for a connection");
	return p[0].revents ? 0 : err_set(ECONNABORTED, "page server: the service is gone, and nobody has connected");
}

pid_t page_server_start(struct request *request, int closed, uint16_t *port)
{
	int fd = page_server_listen(request, port);
	auto_fd leash = -1;
	pid_t pid;

	if (fd < 0)
		return -1;
	leash = request->leash ? pidfd_open(request->leash, 0) : -1;
	pid = fork();
	if (pid == 0) {
		if (closed >= 0)
			close(closed);
		setsid();
		null_stdio();
		_exit((leash >= 0 && await_client(fd, leash) < 0) || page_server_serve(request, fd) < 0 ? 1 : 0);
	}
	close(fd);
	if (pid < 0)
		return err_errno("page server: cannot start a process");
	if (announce_ready(request) == 0)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}
