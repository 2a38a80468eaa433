/* SPDX-License-Identifier: MIT
 *
 * Shared anonymous memory: between parent and child, and partly unmapped in one of them; with argument "twice" also
 * mapped a second time in both, at another offset. Afterwards writes of one are seen by the others.
 */
#include "test.h"

#define SIZE (32 * PAGE)

struct talk {
	volatile int from_parent, from_child;
	char rest[];
};

int main(int argc, char **argv)
{
	struct talk *t;
	char *twice, *again, *part, *mine;
	pid_t child;
	int i;

	test_init(argc, argv);
	t = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	twice = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	test_pattern(twice, SIZE, 1);
	again = twice + 4 * PAGE;
	if (argc > 2) /* mremap(2): old size 0 makes a second mapping of the same pages */
		again = mremap(twice + 4 * PAGE, 0, 8 * PAGE, MREMAP_MAYMOVE);
	check(again != MAP_FAILED && again[0] == twice[4 * PAGE]);
	part = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	test_pattern(part, SIZE, 2);
	test_pattern(t->rest, 10 * PAGE, 3);
	child = test_fork();
	if (!child) {
		/* the child keeps only the end of this one, read only */
		check(munmap(part, 16 * PAGE) == 0);
		check(mprotect(part + 16 * PAGE, 16 * PAGE, PROT_READ) == 0);
		test_mark("child");
		test_wait();
		check(test_pattern_ok(t->rest, 10 * PAGE, 3));
		check(test_pattern_ok(twice, SIZE, 1));
		check(again[0] == twice[4 * PAGE]);
		t->from_child = 1;
		while (t->from_parent != 1) /* hangs when the memory is not shared any more */
			sched_yield();
		check((unsigned char)twice[5 * PAGE] == 0xa5 && (unsigned char)again[PAGE] == 0xa5);
		check(part[20 * PAGE] == 77);
		t->from_child = 2;
		_exit(0);
	}
	test_await("child");
	mine = test_mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(mine + PAGE, "of the parent alone");
	test_ready();
	test_wait();
	while (t->from_child != 1) /* until the child has looked at what was there */
		sched_yield();
	check(test_pattern_ok(part, SIZE, 2));
	again[PAGE] = 0xa5;
	check((unsigned char)twice[5 * PAGE] == 0xa5, "two mappings of the same pages have come apart");
	part[20 * PAGE] = 77;
	check(!strcmp(mine + PAGE, "of the parent alone") && mine[0] == 0);
	t->from_parent = 1;
	for (i = 0; t->from_child != 2; i++)
		sched_yield();
	test_join(child);
	test_pass();
}
