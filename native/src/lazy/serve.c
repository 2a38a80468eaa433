/* SPDX-License-Identifier: MIT */
#include "lazy/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/ready.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "pageserver/listen.h"
#include "pageserver/wire.h"
#include "resource/page_writer.h"
#include "tree/dump.h"

/* The most that is sent for one request. */
#define CHUNK (1UL << 20)

int lazy_dump_listen(const struct request *r)
{
	uint16_t port = r->ps_port;
	int fd;

	if (r->use_page_server)
		return err_set(EINVAL, "--lazy-pages and --page-server exclude each other: the dump itself serves the memory (--address, --port)");
	if (r->ps_fd < 0 && !port)
		return err_set(EINVAL, "dump --lazy-pages needs --port (and --address), where it serves the memory, or --ps-socket");
	fd = r->ps_fd >= 0 ? fcntl(r->ps_fd, F_DUPFD_CLOEXEC, 3) : ps_listen(r->ps_address, &port);
	return fd >= 0 || err_code() ? fd : err_errno("--ps-socket %d", r->ps_fd);
}

static int send_all(int fd, const void *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = send(fd, (const char *)data + at, size - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno("lazy pages: the other end hung up");
		at += n;
	}
	return 0;
}

/* Returns 1, 0 at the end, -1 with the error set. */
static int receive(int fd, struct ps_request *r)
{
	ssize_t n;

	while ((n = recv(fd, r, sizeof(*r), MSG_WAITALL)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return err_errno("lazy pages: the connection broke");
	return n == sizeof(*r) ? 1 : n == 0 ? 0 : err_set(ECONNRESET, "lazy pages: the other end hung up in the middle");
}

static const struct task *find_task(const struct dump *dump, uint64_t id)
{
	for (size_t i = 0; i < dump->tree.count; i++)
		if (!dump->tree.tasks[i]->zombie && id == (uint64_t)dump->tree.tasks[i]->pid)
			return dump->tree.tasks[i];
	return NULL;
}

/* Bytes from address on that the dump looked at; only those are anybody's business. */
static uint64_t known(const struct task *task, uint64_t address)
{
	size_t low = 0, high = task->ranges.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (task->ranges.list[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < task->ranges.count && task->ranges.list[low].start <= address ? task->ranges.list[low].end - address : 0;
}

static int serve_pages(const struct dump *dump, int fd, const struct ps_request *r, char *buffer)
{
	const struct task *task = find_task(dump, r->id);
	uint64_t want = r->pages * PAGE < CHUNK ? r->pages * PAGE : CHUNK, have = 0;
	struct ps_request head = { .vaddr = r->vaddr, .id = r->id };
	struct page_source from;

	if (!task || r->vaddr % PAGE || !r->pages)
		return err_set(EPROTO, "lazy pages: %u pages at 0x%" PRIx64 " of pid %" PRIu64 " are asked for", r->pages, r->vaddr, r->id);
	from = (struct page_source){ .pid = task->live, .fd = -1, .mem_fd = task->mem_fd };
	while (have < want) {
		size_t n = known(task, r->vaddr + have);

		n = n < want - have ? n : want - have;
		if (!n)
			return err_set(EPROTO, "lazy pages: the page at 0x%" PRIx64 " of pid %d, which is asked for, was not left out of the images",
				       r->vaddr + have, task->pid);
		if (page_source_read(&from, r->vaddr + have, buffer + have, &n) < 0)
			return -1;
		have += n;
	}
	head.command = PS_ADD | PE_PRESENT << 16;
	head.pages = have / PAGE;
	return send_all(fd, &head, sizeof(head)) < 0 ? -1 : send_all(fd, buffer, have);
}

static int serve(const struct dump *dump, int fd, char *buffer)
{
	struct ps_request r;
	int32_t done = 0;
	uint64_t pages = 0;
	int got;

	while ((got = receive(fd, &r)) > 0) {
		switch (r.command & 0xffff) {
		case PS_GET:
			if (serve_pages(dump, fd, &r, buffer) < 0)
				return -1;
			pages += r.pages;
			break;
		case PS_CLOSE:
			pr_info("lazy pages: %" PRIu64 " pages asked for, all has arrived", pages);
			return send_all(fd, &done, sizeof(done));
		default:
			return err_set(EPROTO, "lazy pages: request 0x%x is not known", r.command);
		}
	}
	return got < 0 ? -1 : err_set(ECONNRESET, "lazy pages: the other end hung up before it had everything");
}

int lazy_dump_serve(const struct dump *dump, int fd)
{
	struct request request = *dump->request;
	auto_free char *buffer = xrealloc(NULL, CHUNK);
	int connection = announce_ready(&request) < 0 ? -1 : ps_accept(fd), result;

	if (connection < 0)
		return -1;
	result = serve(dump, connection, buffer);
	if (connection != fd)
		close(connection);
	return result;
}
