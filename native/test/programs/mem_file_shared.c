/* SPDX-License-Identifier: MIT
 *
 * Shared mappings of a file, in two processes, writable and read only: writes afterwards reach the file and each other.
 */
#include "test.h"

#define SIZE (16 * PAGE)

int main(int argc, char **argv)
{
	char *p, *ro, *part, page[PAGE];
	int fd;
	pid_t child;

	test_init(argc, argv);
	fd = open(test_path("mapped"), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	check(fd >= 0 && ftruncate(fd, SIZE) == 0);
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	part = test_mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 6 * PAGE);
	close(fd);
	fd = open(test_path("mapped"), O_RDONLY | O_CLOEXEC);
	ro = test_mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	test_pattern(p, 10 * PAGE, 1);
	child = test_fork();
	if (!child) {
		test_mark("child");
		test_wait();
		while (__atomic_load_n((int *)(p + 15 * PAGE), __ATOMIC_SEQ_CST) != 1)
			sched_yield();
		check(part[PAGE] == 66);
		__atomic_store_n((int *)(p + 15 * PAGE), 2, __ATOMIC_SEQ_CST);
		_exit(0);
	}
	test_await("child");
	test_ready();
	test_wait();
	check(test_pattern_ok(p, 10 * PAGE, 1) && test_pattern_ok(ro, 10 * PAGE, 1));
	p[7 * PAGE] = 66;
	check(part[PAGE] == 66 && ro[7 * PAGE] == 66);
	fd = open(test_path("mapped"), O_RDONLY | O_CLOEXEC);
	check(pread(fd, page, PAGE, 7 * PAGE) == (ssize_t)PAGE && page[0] == 66, "the file did not get the write");
	__atomic_store_n((int *)(p + 15 * PAGE), 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n((volatile int *)(p + 15 * PAGE), __ATOMIC_SEQ_CST) != 2)
		sched_yield();
	test_join(child);
	check(mprotect(ro, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES,
	      "a mapping of a read-only descriptor became writable");
	test_pass();
}
