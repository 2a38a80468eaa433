/* SPDX-License-Identifier: MIT
 *
 * Private memory that a child has from its parent: some pages changed by one of them, some not. Each must find its own.
 */
#include "test.h"

#define SIZE (64 * PAGE)

static int page_is(char *p, int page, int seed)
{
	static char want[SIZE];

	test_pattern(want, SIZE, seed);
	return !memcmp(p + page * PAGE, want + page * PAGE, PAGE);
}

static void page_set(char *p, int page, int seed)
{
	static char from[SIZE];

	test_pattern(from, SIZE, seed);
	memcpy(p + page * PAGE, from + page * PAGE, PAGE);
}

int main(int argc, char **argv)
{
	char *p;
	pid_t child;
	int i;

	test_init(argc, argv);
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_pattern(p, SIZE, 1);
	child = test_fork();
	if (!child) {
		for (i = 0; i < 64; i += 4)
			page_set(p, i, 2);
		check(madvise(p + 63 * PAGE, PAGE, MADV_DONTNEED) == 0);
		test_mark("child");
		test_wait();
		for (i = 0; i < 63; i++)
			check(page_is(p, i, i % 4 == 0 ? 2 : 1), "page %d of the child", i);
		check(p[63 * PAGE] == 0 && p[64 * PAGE - 1] == 0, "a page given back has come back");
		memset(p, 0, SIZE);
		_exit(0);
	}
	test_await("child");
	for (i = 0; i < 64; i += 3)
		page_set(p, i, 3);
	test_ready();
	test_wait();
	test_join(child);
	for (i = 0; i < 64; i++)
		check(page_is(p, i, i % 3 == 0 ? 3 : 1), "page %d of the parent", i);
	test_pass();
}
