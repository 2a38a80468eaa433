/* SPDX-License-Identifier: MIT
 *
 * oom_score_adj: parent and child differ, the child's is the lower one. Lowering what is inherited needs no privilege
 * down to the value that a privileged one set last, here the start value.
 */
#include "test.h"

static int get(void)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "re");
	int v = -9999;

	check(f && fscanf(f, "%d", &v) == 1);
	fclose(f);
	return v;
}

static void set(int v)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "we");

	check(f && fprintf(f, "%d", v) > 0);
	check(fclose(f) == 0);
}

int main(int argc, char **argv)
{
	int start = get();
	pid_t child;

	test_init(argc, argv);
	child = test_fork();
	if (!child) {
		set(start + 33);
		test_mark("child");
		test_wait();
		check(get() == start + 33, "%d", get());
		_exit(0);
	}
	test_await("child");
	set(start + 444);
	test_ready();
	test_wait();
	check(get() == start + 444, "%d", get());
	test_join(child);
	test_pass();
}
