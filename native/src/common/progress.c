/* SPDX-License-Identifier: MIT */
#include "common/progress.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"

#define INTERVAL_US 100000
/* Who waits for less needs no bar. */
#define BAR_AFTER_US 500000
#define BAR_WIDTH 24
#define MIB (1024.0 * 1024.0)

static struct {
	int fd;
	const char *bar; /* the action's name; NULL: none is wanted */
	const char *phase;
	uint64_t bytes, total, start_us, first_us, told_us;
	/* With those who restore; NULL: nobody wants to know, or no memory. */
	struct {
		uint64_t bytes;
		uint32_t shown; /* there is a bar on the terminal */
	} *shared;
} progress = { .fd = -1 };

static bool wanted(void)
{
	return progress.fd >= 0 || progress.bar;
}

void progress_bar(const char *what)
{
	const char *term = getenv("TERM");

	if (isatty(STDERR_FILENO) && term && strcmp(term, "dumb"))
		progress.bar = what;
}

static void to_terminal(const char *text, size_t size)
{
	/* A terminal that is gone is no reason to end, nor to say anything. */
	if (write(STDERR_FILENO, text, size) < 0)
		progress.bar = NULL;
}

void progress_hide(void)
{
	if (progress.shared && __atomic_exchange_n(&progress.shared->shown, 0, __ATOMIC_SEQ_CST))
		to_terminal("\r\033[K", 4);
}

static void draw(uint64_t now, uint64_t rate)
{
	char text[256], cells[BAR_WIDTH + 1];
	double part = progress.total ? (double)progress.bytes / progress.total : 0;
	struct winsize size;
	int n;

	if (!progress.bar || !progress.shared || now - progress.start_us < BAR_AFTER_US)
		return;
	part = part > 1 ? 1 : part;
	n = snprintf(text, sizeof(text), "\r\033[K%s: %s", progress.bar, progress.phase);
	if (progress.total) {
		memset(cells, '.', BAR_WIDTH);
		memset(cells, '#', part * BAR_WIDTH);
		cells[BAR_WIDTH] = 0;
		n += snprintf(text + n, sizeof(text) - n, " [%s] %3.0f %%, %.0f of %.0f MiB, %.0f MiB/s", cells, 100 * part, progress.bytes / MIB,
			      progress.total / MIB, rate / MIB);
	} else {
		n += snprintf(text + n, sizeof(text) - n, ", %.1f s", (now - progress.start_us) / 1e6);
	}
	/* A line that wraps could not be taken away. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && n - 4 > size.ws_col - 1)
		n = size.ws_col - 1 + 4;
	__atomic_store_n(&progress.shared->shown, 1, __ATOMIC_SEQ_CST);
	to_terminal(text, n);
}

static void tell(bool wait)
{
	struct pollfd p = { .fd = progress.fd, .events = POLLOUT };
	uint64_t now = now_us(), busy = progress.first_us ? now - progress.first_us : 0;
	uint64_t rate = busy ? progress.bytes * 1000000 / busy : 0;
	sigset_t pipe, before;
	char line[256];
	int n;

	progress.told_us = now;
	if (wait)
		progress_hide();
	else
		draw(now, rate);
	if (progress.fd < 0)
		return;
	/* Whoever reads holds the action up for a second at most. */
	if (poll(&p, 1, wait ? 1000 : 0) <= 0 || !(p.revents & POLLOUT))
		return;
	n = snprintf(line, sizeof(line), "{\"phase\":\"%s\",\"bytes\":%" PRIu64 ",\"total\":%" PRIu64 ",\"rate\":%" PRIu64 ",\"elapsed_us\":%" PRIu64 "}\n",
		     progress.phase, progress.bytes, progress.total, rate, now - progress.start_us);
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
	const char *bar = progress.bar;
	void *shared;

	memset(&progress, 0, sizeof(progress));
	progress.fd = fd;
	progress.bar = bar;
	progress.phase = "";
	progress.start_us = now_us();
	if (!wanted())
		return;
	shared = mmap(NULL, sizeof(*progress.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	progress.shared = shared == MAP_FAILED ? NULL : shared;
	if (bar)
		log_before_line(progress_hide);
}

void progress_phase(const char *phase)
{
	if (!wanted())
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
	if (!wanted())
		return;
	if (!progress.first_us)
		progress.first_us = now_us();
	progress.bytes += bytes;
	if (now_us() - progress.told_us >= INTERVAL_US)
		tell(false);
}

void progress_add_shared(uint64_t bytes)
{
	if (progress.shared)
		__atomic_add_fetch(&progress.shared->bytes, bytes, __ATOMIC_RELAXED);
}

void progress_look(void)
{
	uint64_t bytes;

	if (!progress.shared)
		return;
	bytes = __atomic_load_n(&progress.shared->bytes, __ATOMIC_RELAXED);
	if (bytes > progress.total)
		bytes = progress.total;
	progress_add(bytes > progress.bytes ? bytes - progress.bytes : 0);
}

void progress_end(int failed)
{
	if (!wanted())
		return;
	progress_look();
	progress.phase = failed ? "failed" : "done";
	tell(true);
	progress.fd = -1;
	progress.bar = NULL;
	log_before_line(NULL);
	if (progress.shared)
		munmap(progress.shared, sizeof(*progress.shared));
	progress.shared = NULL;
}
