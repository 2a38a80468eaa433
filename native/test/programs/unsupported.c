/* SPDX-License-Identifier: MIT
 *
 * State that no engine can rebuild, by argument: "io_uring", "userfaultfd", "perf_event" (descriptors), "io_uring_map"
 * (a ring mapped, its descriptor closed), "child" (an io_uring in a child). The dump must fail and leave all as it is.
 * DIR/where names the pid and the descriptor or address.
 */
#include "test.h"

#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

static void tell(const char *kind, unsigned long value)
{
	int fd = open(test_path("where"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	dprintf(fd, "%d %s %lx\n", getpid(), kind, value);
	close(fd);
}

static int ring(struct io_uring_params *p)
{
	int fd;

	memset(p, 0, sizeof *p);
	fd = syscall(SYS_io_uring_setup, 8, p);
	check(fd >= 0);
	return fd;
}

static int uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	check(fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0);
	return fd;
}

static int perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof attr,
					.config = PERF_COUNT_SW_TASK_CLOCK };
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	check(fd >= 0);
	return fd;
}

int main(int argc, char **argv)
{
	struct io_uring_params p;
	const char *kind;
	int fd = -1;
	void *map = NULL;
	pid_t child = 0;

	test_init(argc, argv);
	check(argc == 3);
	kind = argv[2];
	if (!strcmp(kind, "child")) {
		child = test_fork();
		if (!child) {
			tell("fd", fd = ring(&p));
			test_mark("child");
			test_wait();
			check(fcntl(fd, F_GETFD) >= 0);
			_exit(0);
		}
		test_await("child");
	} else if (!strcmp(kind, "io_uring")) {
		tell("fd", fd = ring(&p));
	} else if (!strcmp(kind, "userfaultfd")) {
		tell("fd", fd = uffd());
	} else if (!strcmp(kind, "perf_event")) {
		tell("fd", fd = perf());
	} else {
		fd = ring(&p);
		map = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
		close(fd);
		fd = -1;
		tell("map", (unsigned long)map);
	}
	test_ready();
	test_wait();
	if (child)
		test_join(child);
	if (fd >= 0)
		check(fcntl(fd, F_GETFD) >= 0);
	if (map)
		check(*(volatile int *)map >= 0 || 1);
	test_pass();
}
