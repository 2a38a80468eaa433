/* SPDX-License-Identifier: MIT */
#include "common/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

static void *checked(void *p)
{
	if (!p) {
		static const char text[] = "Error: out of memory\n";

		if (write(2, text, sizeof(text) - 1) < 0)
			_exit(1);
		_exit(1);
	}
	return p;
}

void *xzalloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xasprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return checked(s);
}

void *array_push(void *data, size_t *count, size_t *room, size_t element_size)
{
	void **array = data;
	char *slot;

	if (*count == *room) {
		*room = *room ? *room * 2 : 16;
		*array = xrealloc(*array, *room * element_size);
	}
	slot = (char *)*array + (*count)++ * element_size;
	memset(slot, 0, element_size);
	return slot;
}

uint32_t next_id(void)
{
	static uint32_t last;

	return ++last;
}

int proc_open(pid_t pid, int flags, const char *fmt, ...)
{
	char path[128];
	int n = snprintf(path, sizeof(path), "/proc/%d/", pid);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - n, fmt, ap);
	va_end(ap);
	return open(path, flags | O_CLOEXEC);
}

char *proc_read(pid_t pid, const char *name, size_t *length)
{
	auto_fd fd = proc_open(pid, O_RDONLY, "%s", name);
	size_t room = 4096, have = 0;
	auto_free char *buf = NULL;
	char *result;

	if (fd < 0)
		return NULL;
	buf = xrealloc(NULL, room);
	for (;;) {
		ssize_t n = read(fd, buf + have, room - have - 1);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return NULL;
		}
		if (n == 0)
			break;
		have += n;
		if (room - have < 2048) {
			room *= 2;
			buf = xrealloc(buf, room);
		}
	}
	buf[have] = 0;
	if (length)
		*length = have;
	result = buf;
	buf = NULL;
	return result;
}

const char *status_field(const char *status, const char *key)
{
	size_t n = strlen(key);
	const char *line = status;

	while (line && *line) {
		if (!strncmp(line, key, n) && line[n] == ':') {
			line += n + 1;
			while (*line == ' ' || *line == '\t')
				line++;
			return line;
		}
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return NULL;
}

ssize_t proc_readlink(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[128];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, buf, size - 1);
	if (n < 0)
		return -1;
	if ((size_t)n == size - 1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	buf[n] = 0;
	return n;
}

int read_all(int fd, void *buf, size_t size)
{
	char *p = buf;

	while (size) {
		ssize_t n = read(fd, p, size);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (n == 0) {
			errno = ENODATA;
			return -1;
		}
		p += n;
		size -= n;
	}
	return 0;
}

int write_all(int fd, const void *buf, size_t size)
{
	const char *p = buf;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		p += n;
		size -= n;
	}
	return 0;
}

static int64_t moved_us;

void now_us_moved(int64_t less)
{
	moved_us += less;
}

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000 + moved_us;
}
