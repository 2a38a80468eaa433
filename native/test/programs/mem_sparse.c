/* SPDX-License-Identifier: MIT
 *
 * Large mappings with few pages used: 64 MiB private, 64 MiB shared, 16 GiB reserved. Untouched and zero pages must
 * neither be written to the images (the runner looks at their size) nor be present afterwards (it looks at RSS).
 */
#include "test.h"

#define SIZE (64ul << 20)

int main(int argc, char **argv)
{
	char *p, *s, *big, *zero;
	size_t i;

	test_init(argc, argv);
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	big = test_mmap(NULL, 16ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	/* pages read but never written: the zero page */
	zero = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(zero, SIZE, MADV_NOHUGEPAGE);
	madvise(p, SIZE, MADV_NOHUGEPAGE);
	madvise(big, 16ul << 30, MADV_NOHUGEPAGE);
	for (i = 0; i < SIZE; i += PAGE)
		check(*(volatile char *)(zero + i) == 0);
	for (i = 0; i < SIZE; i += 4ul << 20) {
		test_pattern(p + i, PAGE, i >> 20);
		test_pattern(s + i, PAGE, i >> 20);
	}
	test_pattern(big + (9ul << 30), PAGE, 9);
	test_pattern(big + (16ul << 30) - PAGE, PAGE, 10);
	test_ready();
	test_wait();
	for (i = 0; i < SIZE; i += PAGE) {
		if (i % (4ul << 20) == 0)
			check(test_pattern_ok(p + i, PAGE, i >> 20) && test_pattern_ok(s + i, PAGE, i >> 20), "at %lx", i);
		else
			check(p[i] == 0 && s[i] == 0 && zero[i] == 0 && p[i + PAGE - 1] == 0, "at %lx", i);
	}
	check(test_pattern_ok(big + (9ul << 30), PAGE, 9));
	check(test_pattern_ok(big + (16ul << 30) - PAGE, PAGE, 10));
	check(big[0] == 0 && big[(9ul << 30) + PAGE] == 0);
	test_pass();
}
