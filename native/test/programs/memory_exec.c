/* SPDX-License-Identifier: MIT
 *
 * When DIR/exec appears it becomes another program, itself, with other contents at the same addresses, and has a child: what was noted
 * of its memory before means nothing then.
 */
#include "test.h"

#define SIZE (2000 * PAGE)
#define PLACE ((void *)0x600000000000)

int main(int argc, char **argv)
{
	int executed = argc > 2 && !strcmp(argv[2], "executed"), child = 0;
	unsigned char *p;

	test_init(argc, argv);
	p = test_mmap(PLACE, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	test_pattern(p, SIZE, executed);
	if (!executed) {
		test_ready();
		test_await("exec");
		execl("/proc/self/exe", argv[0], argv[1], "executed", NULL);
		check(0, "execve");
	}
	child = test_fork();
	if (!child) {
		test_pattern(p, SIZE, 2);
		test_mark("executed");
		test_wait();
		check(test_pattern_ok(p, SIZE, 2));
		exit(0);
	}
	test_wait();
	check(test_pattern_ok(p, SIZE, 1));
	test_join(child);
	test_pass();
}
