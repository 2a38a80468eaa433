/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"

static int fd = 2;
static int max_level = LOG_WARN;
static int task_pid;
static uint64_t start_us;
static void (*before_line)(void);

void log_init(int log_fd, int level)
{
	fd = log_fd;
	max_level = level;
	start_us = now_us();
}

int log_fd(void)
{
	return fd;
}

void log_set_fd(int log_fd)
{
	fd = log_fd;
}

void log_set_pid(int pid)
{
	task_pid = pid;
}

void log_before_line(void (*hook)(void))
{
	before_line = hook;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "", "Error: ", "Warn: ", "", "" };
	char line[2048];
	int saved = errno, n;
	long us;
	va_list ap;

	if ((int)level > max_level)
		return;
	us = now_us() - start_us;
	n = snprintf(line, sizeof(line), "(%02ld.%06ld) %s", us / 1000000, us % 1000000, names[level]);
	if (task_pid)
		n += snprintf(line + n, sizeof(line) - n, "%d: ", task_pid);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (before_line && isatty(fd))
		before_line();
	/* A log that cannot be written must not stop a dump. */
	if (write(fd, line, n) < 0)
		errno = saved;
	errno = saved;
}
