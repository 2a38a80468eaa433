/* SPDX-License-Identifier: MIT
 *
 * A hundred processes, ten children with nine children each, every one with memory of its own.
 */
#include "test.h"

#define WIDTH 10

static char block[4 * PAGE];

static void hold(const char *mark)
{
	pid_t pid = getpid(), ppid = getppid();

	test_pattern(block, sizeof block, pid);
	test_mark(mark);
	test_wait();
	check(getpid() == pid && getppid() == ppid);
	check(test_pattern_ok(block, sizeof block, pid));
}

int main(int argc, char **argv)
{
	char mark[32];
	pid_t child[WIDTH], grand[WIDTH];
	int i, k;

	test_init(argc, argv);
	for (i = 0; i < WIDTH; i++) {
		child[i] = test_fork();
		if (child[i])
			continue;
		for (k = 1; k < WIDTH; k++) {
			snprintf(mark, sizeof mark, "leaf.%d.%d", i, k);
			grand[k] = test_fork();
			if (!grand[k]) {
				hold(mark);
				_exit(0);
			}
			test_await(mark);
		}
		snprintf(mark, sizeof mark, "branch.%d", i);
		hold(mark);
		for (k = 1; k < WIDTH; k++)
			test_join(grand[k]);
		_exit(0);
	}
	for (i = 0; i < WIDTH; i++) {
		snprintf(mark, sizeof mark, "branch.%d", i);
		test_await(mark);
	}
	test_ready();
	test_wait();
	for (i = 0; i < WIDTH; i++)
		test_join(child[i]);
	test_pass();
}
