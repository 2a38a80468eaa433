/* SPDX-License-Identifier: MIT
 *
 * What madvise() and mlock() set on a mapping: seen in the VmFlags that the runner compares, and by what fork() does.
 */
#include "test.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

int main(int argc, char **argv)
{
	static const int advice[] = { MADV_DONTFORK, MADV_WIPEONFORK, MADV_DONTDUMP,	MADV_HUGEPAGE,
				      MADV_NOHUGEPAGE, MADV_MERGEABLE, MADV_SEQUENTIAL, MADV_RANDOM };
	char *p[8], *locked;
	int i;
	pid_t child;

	test_init(argc, argv);
	for (i = 0; i < 8; i++) {
		p[i] = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		test_pattern(p[i], 4 * PAGE, i);
		check(madvise(p[i], 4 * PAGE, advice[i]) == 0 || errno == EINVAL, "advice %d", advice[i]);
	}
	locked = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_pattern(locked, 4 * PAGE, 50);
	check(mlock(locked, 4 * PAGE) == 0);
	test_ready();
	test_wait();
	for (i = 0; i < 8; i++)
		check(test_pattern_ok(p[i], 4 * PAGE, i), "advice %d", advice[i]);
	check(test_pattern_ok(locked, 4 * PAGE, 50));
	child = test_fork();
	if (!child) {
		check(msync(p[0], PAGE, MS_ASYNC) < 0 && errno == ENOMEM, "MADV_DONTFORK was lost");
		check(p[1][0] == 0 && p[1][100] == 0, "MADV_WIPEONFORK was lost");
		check(test_pattern_ok(p[2], 4 * PAGE, 2));
		_exit(0);
	}
	test_join(child);
	test_pass();
}
