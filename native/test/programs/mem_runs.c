/* SPDX-License-Identifier: MIT
 *
 * One mapping with thousands of short runs of pages: more than any buffer on the way holds, and none may come twice or get lost.
 */
#include "test.h"

#define RUNS 5000
#define STEP 5

int main(int argc, char **argv)
{
	char *p = test_mmap(NULL, RUNS * STEP * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	test_init(argc, argv);
	check(madvise(p, RUNS * STEP * PAGE, MADV_NOHUGEPAGE) == 0);
	for (size_t i = 0; i < RUNS; i++)
		for (size_t j = 0; j <= i % (STEP - 1); j++)
			test_pattern(p + (i * STEP + j) * PAGE, PAGE, i * STEP + j);
	test_ready();
	test_wait();
	for (size_t i = 0; i < RUNS; i++)
		for (size_t j = 0; j < STEP; j++) {
			char *page = p + (i * STEP + j) * PAGE;

			if (j <= i % (STEP - 1))
				check(test_pattern_ok(page, PAGE, i * STEP + j), "page %zu", i * STEP + j);
			else
				check(!page[0] && !memcmp(page, page + 1, PAGE - 1), "page %zu is not empty", i * STEP + j);
		}
	test_pass();
}
