/* SPDX-License-Identifier: MIT
 *
 * A process that has unmapped its vDSO's code but not its data, as valgrind does; nothing of it may come back.
 */
#include "test.h"

#include <sys/auxv.h>

/* Whether a mapping of that name is there, and where. */
static int mapped(const char *name, unsigned long *start, unsigned long *end)
{
	char line[512];
	int found = 0;
	FILE *f = fopen("/proc/self/maps", "re");

	check(f);
	while (!found && fgets(line, sizeof line, f))
		found = strstr(line, name) && sscanf(line, "%lx-%lx", start, end) == 2;
	fclose(f);
	return found;
}

int main(int argc, char **argv)
{
	unsigned long start, end, before, after;

	test_init(argc, argv);
	if (!mapped("[vdso]", &start, &end) || !mapped("[vvar]", &before, &after))
		test_skip("this kernel gives no vDSO");
	check(!munmap((void *)start, end - start));
	test_ready();
	test_wait();
	check(!mapped("[vdso]", &start, &end));
	check(mapped("[vvar]", &start, &end) && start == before && end == after);
	test_pass();
}
