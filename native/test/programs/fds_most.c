/* SPDX-License-Identifier: MIT
 *
 * A thousand descriptors, each of another file, which is more than half of what the restorer of the test may have; two of one file, and a child that shares some.
 */
#include "test.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

#define COUNT 1000
#define FIRST 10

static void verify(int from)
{
	uint64_t value;

	for (int i = from; i < COUNT; i += 2) {
		check(read(FIRST + i, &value, sizeof(value)) == sizeof(value) && value == (uint64_t)i + 1, "descriptor %d holds %lu", FIRST + i, value);
		check(fcntl(FIRST + i, F_GETFD) == (i % 3 ? 0 : FD_CLOEXEC), "descriptor %d", FIRST + i);
	}
}

int main(int argc, char **argv)
{
	pid_t child;

	test_init(argc, argv);
	check(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 1300, 1300 }) == 0);
	for (int i = 0; i < COUNT; i++) {
		int fd = eventfd(i + 1, EFD_NONBLOCK | (i % 3 ? 0 : EFD_CLOEXEC));

		check(fd >= 0);
		if (fd != FIRST + i) {
			check(dup3(fd, FIRST + i, i % 3 ? 0 : O_CLOEXEC) == FIRST + i);
			close(fd);
		}
	}
	check(dup2(FIRST + 1, FIRST + COUNT + 5) == FIRST + COUNT + 5);
	child = test_fork();
	if (!child) {
		for (int i = 0; i < COUNT; i += 2)
			close(FIRST + i);
		test_mark("child");
		test_wait();
		verify(1);
		exit(0);
	}
	for (int i = 1; i < COUNT; i += 2)
		if (i != 1)
			close(FIRST + i);
	test_await("child");
	test_ready();
	test_wait();
	verify(0);
	test_join(child);
	test_pass();
}
