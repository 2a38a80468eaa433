/* SPDX-License-Identifier: MIT
 *
 * 48 MiB of memory without any zero page, in mappings of all sizes: more than fits into one pipe or one iovec.
 */
#include "test.h"

#define PARTS 240

int main(int argc, char **argv)
{
	static char *part[PARTS];
	static size_t size[PARTS];
	int i;

	test_init(argc, argv);
	for (i = 0; i < PARTS; i++) {
		size[i] = (i % 40 == 0 ? 3 + 600 * (i / 40) : i % 17 + 1) * PAGE;
		part[i] = test_mmap(NULL, size[i], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		test_pattern(part[i], size[i], i);
		if (i % 2)
			check(mprotect(part[i], size[i], PROT_READ) == 0);
	}
	test_ready();
	test_wait();
	for (i = 0; i < PARTS; i++)
		check(test_pattern_ok(part[i], size[i], i), "mapping %d of %zu bytes at %p", i, size[i], (void *)part[i]);
	test_pass();
}
