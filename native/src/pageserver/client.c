/* SPDX-License-Identifier: MIT */
#include "pageserver/client.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "pageserver/listen.h"
#include "pageserver/wire.h"
#include "resource/page_writer.h"

static int server = -1;
static uint64_t open_id;

int ps_client_begin(const struct request *request)
{
	if (!request->use_page_server)
		return 0;
	if (request->ps_fd < 0 && !request->ps_port)
		return err_set(EINVAL, "--page-server needs --port, or --ps-socket");
	server = request->ps_fd >= 0 ? fcntl(request->ps_fd, F_DUPFD_CLOEXEC, 3) : ps_connect(request->ps_address, request->ps_port);
	if (server < 0)
		return err_code() ? -1 : err_errno("--ps-socket %d", request->ps_fd);
	return 0;
}

static int send_all(const void *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t n = send(server, (const char *)data + at, size - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno("the page server hung up");
		at += n;
	}
	return 0;
}

static int request_it(uint32_t command, uint32_t pages, uint64_t vaddr, uint64_t id)
{
	struct ps_request r = { command, pages, vaddr, id };

	return send_all(&r, sizeof(r));
}

static int answer(void *to, size_t size)
{
	ssize_t n;

	while ((n = recv(server, to, size, MSG_WAITALL)) < 0 && errno == EINTR)
		;
	if (n == (ssize_t)size)
		return 0;
	return n < 0 ? err_errno("no answer of the page server") : err_set(ECONNRESET, "the page server hung up instead of answering: its log says why");
}

int ps_client_open(bool shared, unsigned long id)
{
	uint8_t has_parent;

	open_id = (uint64_t)id << 8 | (shared ? PS_KIND_SHMEM : PS_KIND_TASK);
	return request_it(PS_OPEN, 0, 0, open_id) < 0 ? -1 : answer(&has_parent, sizeof(has_parent));
}

int ps_client_send(const struct ps_run *runs, size_t count, const char *contents)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = runs[i].flags & PE_PRESENT ? runs[i].pages * PAGE : 0;

		if (request_it(PS_ADD | runs[i].flags << 16, runs[i].pages, runs[i].vaddr, open_id) < 0 || send_all(contents, size) < 0)
			return -1;
		contents += size;
	}
	return 0;
}

int ps_client_end(void)
{
	int32_t code = 0;

	if (server < 0)
		return 0;
	if (request_it(PS_CLOSE, 0, 0, 0) < 0 || answer(&code, sizeof(code)) < 0)
		return -1;
	ps_client_drop();
	return code ? err_set(EIO, "the page server could not write the memory (%d): its log says why", code) : 0;
}

void ps_client_drop(void)
{
	if (server >= 0)
		close(server);
	server = -1;
}
