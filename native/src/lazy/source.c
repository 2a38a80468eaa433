/* SPDX-License-Identifier: MIT */
#include "lazy/source.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "pageserver/listen.h"
#include "pageserver/wire.h"
#include "resource/page_reader.h"

static int server = -1;

int lazy_server_connect(const struct request *request)
{
	if (!request->use_page_server)
		return 0;
	if (!request->ps_port && request->ps_fd < 0)
		return err_set(EINVAL, "lazy-pages: --page-server needs --port, or --ps-socket");
	server = request->ps_fd >= 0 ? request->ps_fd : ps_connect(request->ps_address, request->ps_port);
	return server < 0 ? -1 : 0;
}

static int receive(void *to, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = recv(server, (char *)to + at, size - at, MSG_WAITALL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno("the connection to the page server broke");
		if (n == 0)
			return err_set(ECONNRESET, "the page server hung up before all pages had arrived: its log says why");
		at += n;
	}
	return 0;
}

static int ask(const struct ps_request *request)
{
	return send(server, request, sizeof(*request), MSG_NOSIGNAL) == sizeof(*request) ? 0 : err_errno("the page server hung up");
}

int lazy_server_end(void)
{
	struct ps_request r = { .command = PS_CLOSE };
	int32_t code = 0;

	if (server < 0)
		return 0;
	if (ask(&r) < 0 || receive(&code, sizeof(code)) < 0)
		return -1;
	close(server);
	server = -1;
	return 0;
}

int lazy_source_open(struct lazy_source *source, int dirfd, uint32_t pid)
{
	source->pid = pid;
	source->runs = page_runs_read_lazy(dirfd, pid);
	if (!source->runs)
		return err_context("pid %u", pid);
	for (size_t i = 0; i < source->runs->count && server < 0; i++)
		if (source->runs->runs[i].absent)
			return err_set(ENODATA, "%s: the pages at 0x%" PRIx64 " are not in the images: say where whoever made this dump serves them "
				       "(--page-server --address --port)", source->runs->name, source->runs->runs[i].address);
	source->fds = page_runs_open(source->runs, dirfd);
	return source->fds ? 0 : -1;
}

/* May bring less than asked for, as the answer says: returns bytes, -1 with the error set. */
static ssize_t fetch(const struct lazy_source *source, uint64_t address, void *to, size_t size)
{
	struct ps_request r = { PS_GET, size / PAGE, address, source->pid };

	if (ask(&r) < 0 || receive(&r, sizeof(r)) < 0)
		return -1;
	if ((r.command & 0xffff) != PS_ADD || r.vaddr != address || !r.pages || r.pages > size / PAGE)
		return err_set(EPROTO, "the page server answers 0x%x, %u pages at 0x%" PRIx64 ", not those at 0x%" PRIx64 " of pid %u", r.command, r.pages,
			       r.vaddr, address, source->pid);
	return receive(to, r.pages * PAGE) < 0 ? -1 : (ssize_t)(r.pages * PAGE);
}

static ssize_t read_image(const struct lazy_source *source, const struct page_run *run, uint64_t address, void *to, size_t size)
{
	ssize_t n;

	while ((n = pread(source->fds[run->level], to, size, run->offset + (address - run->address))) < 0 && errno == EINTR)
		;
	if (n < 0)
		return err_errno("cannot read the pages image of %s", source->runs->name);
	n -= n % PAGE;
	return n ? n : err_set(ENODATA, "the pages image of %s shrank while it was read", source->runs->name);
}

static const struct page_run *find(const struct page_runs *runs, uint64_t address)
{
	size_t low = 0, high = runs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct page_run *r = &runs->runs[middle];

		if (r->address + r->size <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < runs->count && runs->runs[low].address <= address ? &runs->runs[low] : NULL;
}

int lazy_source_read(const struct lazy_source *source, uint64_t address, void *to, size_t size)
{
	while (size) {
		const struct page_run *r = find(source->runs, address);
		size_t left = r ? r->address + r->size - address : 0;
		ssize_t n;

		if (!r)
			return err_set(EINVAL, "%s has no page at 0x%" PRIx64, source->runs->name, address);
		if (left > size)
			left = size;
		n = r->absent ? fetch(source, address, to, left) : read_image(source, r, address, to, left);
		if (n < 0)
			return -1;
		to = (char *)to + n;
		address += n;
		size -= n;
	}
	return 0;
}
