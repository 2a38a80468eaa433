/* SPDX-License-Identifier: MIT
 *
 * See test.h.
 */
#include "test.h"

#include <asm/prctl.h>
#include <limits.h>
#include <stdarg.h>

static char test_dir[PATH_MAX];
static char go_path[PATH_MAX + 8];
static const void *volatiles[64];
static int volatile_count;

void test_set_dir(const char *dir)
{
	snprintf(test_dir, sizeof test_dir, "%s", dir);
	snprintf(go_path, sizeof go_path, "%s/go", dir);
}

void test_init(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] != '/') {
		fprintf(stderr, "usage: %s DIR [ARGS], DIR absolute\n", argv[0]);
		exit(2);
	}
	test_set_dir(argv[1]);
	/* the runner pins nothing: files made here must be reachable after setuid() too */
	umask(0);
}

const char *test_path(const char *name)
{
	static char buffers[16][PATH_MAX + 256];
	static unsigned next;
	char *b = buffers[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 16];

	snprintf(b, sizeof buffers[0], "%s/%s", test_dir, name);
	return b;
}

void test_volatile(const void *address)
{
	int i = __atomic_fetch_add(&volatile_count, 1, __ATOMIC_RELAXED);

	check(i < 64, "too many volatile addresses");
	volatiles[i] = address;
}

/* One write to a temporary name, then rename: whoever sees the file sees all of it. */
static void write_whole(const char *name, const char *text, size_t n)
{
	char tmp[64];
	int fd;

	snprintf(tmp, sizeof tmp, ".tmp.%s.%d", name, getpid());
	fd = open(test_path(tmp), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	check(fd >= 0, "%s", test_path(tmp));
	check(write(fd, text, n) == (ssize_t)n);
	close(fd);
	check(rename(test_path(tmp), test_path(name)) == 0);
}

void test_ready(void)
{
	char text[64 * 20 + 32];
	size_t n;
	unsigned long tls = 0;
	int i;

	syscall(SYS_arch_prctl, ARCH_GET_FS, &tls);
	n = snprintf(text, sizeof text, "%lx\n", tls);
	for (i = 0; i < volatile_count; i++)
		n += snprintf(text + n, sizeof text - n, "%lx\n", (unsigned long)volatiles[i]);
	write_whole("ready", text, n);
}

void test_mark(const char *name)
{
	write_whole(name, "", 0);
}

static void nap(void)
{
	struct timespec t = { 0, 2000000 };

	nanosleep(&t, NULL);
}

void test_await(const char *name)
{
	const char *path = strdup(test_path(name));

	while (access(path, F_OK))
		nap();
	free((void *)path);
}

int test_go(void)
{
	return access(go_path, F_OK) == 0;
}

void test_wait(void)
{
	int naps;

	/* a register or a place on the stack counts, so that nothing is left of a runner that was killed */
	for (naps = 0; !test_go(); naps++) {
		check(naps < 300000, "nobody said go in ten minutes");
		nap();
	}
}

void test_fail(const char *file, int line, const char *condition, const char *format, ...)
{
	int error = errno, fd, n;
	char text[2048];
	va_list ap;
	const char *base = strrchr(file, '/');

	n = snprintf(text, sizeof text, "FAIL %s:%d pid %d tid %d: %s: ", base ? base + 1 : file, line, (int)getpid(),
		     (int)syscall(SYS_gettid), condition);
	va_start(ap, format);
	n += vsnprintf(text + n, sizeof text - n, format, ap);
	va_end(ap);
	if (n > (int)sizeof text - 64)
		n = sizeof text - 64;
	n += snprintf(text + n, sizeof text - n, " (errno %d)\n", error);
	fd = open(test_path("result"), O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (fd < 0 || write(fd, text, n) != n)
		fprintf(stderr, "%s", text);
	_exit(1);
}

void test_pass(void)
{
	int fd = open(test_path("result"), O_WRONLY | O_CREAT | O_APPEND, 0666);

	if (fd < 0 || write(fd, "PASS\n", 5) != 5)
		_exit(1);
	_exit(0);
}

void test_skip(const char *reason)
{
	int fd = open(test_path("result"), O_WRONLY | O_CREAT | O_APPEND, 0666);

	dprintf(fd, "SKIP %s\n", reason);
	_exit(0);
}

void test_join(pid_t child)
{
	int status = 0;
	pid_t got;

	do {
		got = waitpid(child, &status, __WALL);
	} while (got < 0 && errno == EINTR);
	check(got == child, "waitpid(%d) gave %d", child, got);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %d status %x", child, status);
}

pid_t test_fork(void)
{
	pid_t pid = fork();

	check(pid >= 0);
	return pid;
}

static uint32_t mix(uint32_t seed, size_t i)
{
	uint32_t x = seed * 2654435761u + (uint32_t)i * 40503u + (uint32_t)(i >> 16) * 7919u + 1;

	x ^= x >> 15;
	x *= 2246822519u;
	return x ^ (x >> 13);
}

void test_pattern(void *p, size_t n, uint32_t seed)
{
	unsigned char *b = p;
	size_t i;

	for (i = 0; i + 4 <= n; i += 4) {
		uint32_t v = mix(seed, i);

		memcpy(b + i, &v, 4);
	}
	for (; i < n; i++)
		b[i] = (unsigned char)(seed + i);
}

int test_pattern_ok(const void *p, size_t n, uint32_t seed)
{
	const unsigned char *b = p;
	size_t i;

	for (i = 0; i + 4 <= n; i += 4) {
		uint32_t v;

		memcpy(&v, b + i, 4);
		if (v != mix(seed, i))
			return 0;
	}
	for (; i < n; i++)
		if (b[i] != (unsigned char)(seed + i))
			return 0;
	return 1;
}

int test_kinds(int argc, char **argv, const struct test_kind *kinds, size_t n,
	       const char *(*where)(unsigned long *value))
{
	size_t i;

	test_init(argc, argv);
	check(argc == 3);
	for (i = 0; i < n && strcmp(kinds[i].name, argv[2]); i++)
		;
	check(i < n, "no kind %s", argv[2]);
	kinds[i].setup();
	if (where) {
		unsigned long value = 0;
		const char *what = where(&value);
		char text[64];

		snprintf(text, sizeof text, "%d %s %lx\n", getpid(), what, value);
		write_whole("where", text, strlen(text));
	}
	test_ready();
	test_wait();
	kinds[i].verify();
	test_pass();
}

void *test_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	void *p = mmap(addr, size, prot, flags, fd, offset);

	check(p != MAP_FAILED, "mmap of %zu bytes", size);
	return p;
}
