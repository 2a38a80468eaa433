/* SPDX-License-Identifier: MIT
 *
 * The heap: contents, the break where it was, and room to grow: brk() by itself and through malloc().
 */
#include "test.h"

#include <malloc.h>

#define BLOCKS 2000

int main(int argc, char **argv)
{
	static char *block[BLOCKS];
	char *before, *now, *big;
	int i;

	test_init(argc, argv);
	mallopt(M_MMAP_THRESHOLD, 1 << 30); /* everything from the heap */
	for (i = 0; i < BLOCKS; i++) {
		block[i] = malloc(100 + i);
		check(block[i]);
		test_pattern(block[i], 100 + i, i);
	}
	for (i = 1; i < BLOCKS; i += 3) {
		free(block[i]);
		block[i] = NULL;
	}
	before = sbrk(0);
	test_ready();
	test_wait();
	now = sbrk(0);
	check(now == before, "break %p, was %p", now, before);
	for (i = 0; i < BLOCKS; i++)
		check(!block[i] || test_pattern_ok(block[i], 100 + i, i), "block %d", i);
	big = malloc(80 << 20);
	check(big && (char *)sbrk(0) > before + (79 << 20), "the heap did not grow: %p", sbrk(0));
	test_pattern(big, 80 << 20, 5);
	check(test_pattern_ok(big, 80 << 20, 5));
	free(big);
	malloc_trim(0);
	check(sbrk(0) < (void *)(before + (79 << 20)), "the heap did not shrink");
	check(sbrk(3 * PAGE) != (void *)-1);
	for (i = 0; i < BLOCKS; i++)
		free(block[i]);
	test_pass();
}
