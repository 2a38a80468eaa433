/* SPDX-License-Identifier: MIT */
#include "common/progress.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"

#define INTERVAL_US 100000

static struct {
	int fd;
	const char *phase;
	uint64_t bytes, total, start_us, first_us, told_us;
} progress = { .fd = -1 };

static void tell(bool wait)
{
	struct pollfd p = { .fd = progress.fd, .events = POLLOUT };
	uint64_t now = now_us(), busy = progress.first_us ? now - progress.first_us : 0;
	sigset_t pipe, before;
	char line[256];
	int n;

	progress.told_us = now;
	/* Whoever reads holds the action up for a second at most. */
	if (poll(&p, 1, wait ? 1000 : 0) <= 0 || !(p.revents & POLLOUT))
		return;
	n = snprintf(line, sizeof(line), "{\"phase\":\"%s\",\"bytes\":%" PRIu64 ",\"total\":%" PRIu64 ",\"rate\":%" PRIu64 ",\"elapsed_us\":%" PRIu64 "}\n",
		     progress.phase, progress.bytes, progress.total, busy ? progress.bytes * 1000000 / busy : 0, now - progress.start_us);
	/* A reader that went away is no reason to end. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe, &before);
	if (write(progress.fd, line, n) < 0) {
		progress.fd = -1;
		sigtimedwait(&pipe, NULL, &(struct timespec){ 0 });
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

void progress_start(int fd)
{
	memset(&progress, 0, sizeof(progress));
	progress.fd = fd;
	progress.phase = "";
	progress.start_us = now_us();
}

void progress_phase(const char *phase)
{
	if (progress.fd < 0)
		return;
	progress.phase = phase;
	tell(false);
}

void progress_expect(uint64_t bytes)
{
	progress.total += bytes;
}

void progress_add(uint64_t bytes)
{
	if (progress.fd < 0)
		return;
	if (!progress.first_us)
		progress.first_us = now_us();
	progress.bytes += bytes;
	if (now_us() - progress.told_us >= INTERVAL_US)
		tell(false);
}

void progress_end(int failed)
{
	if (progress.fd < 0)
		return;
	progress.phase = failed ? "failed" : "done";
	tell(true);
	progress.fd = -1;
}
