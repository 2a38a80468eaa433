/* SPDX-License-Identifier: MIT
 *
 * Resource limits: soft and hard lowered, for every resource; the child has others. They must hold afterwards, too.
 */
#include "test.h"

#include <sys/resource.h>

static void lower(int shift)
{
	struct rlimit l;
	int r;

	for (r = 0; r < RLIM_NLIMITS; r++) {
		check(getrlimit(r, &l) == 0);
		switch (r) {
		case RLIMIT_NOFILE:
			l.rlim_max = 1000 - shift;
			l.rlim_cur = 60 + shift;
			break;
		case RLIMIT_STACK:
			l.rlim_cur = 6ul << 20;
			l.rlim_max = (64ul - shift) << 20;
			break;
		case RLIMIT_AS:
		case RLIMIT_DATA:
			l.rlim_cur = 3ul << (30 + shift);
			l.rlim_max = RLIM_INFINITY;
			break;
		case RLIMIT_NPROC:
			l.rlim_cur = l.rlim_max = 20000 - shift;
			break;
		case RLIMIT_CPU:
			l.rlim_cur = 100000 + shift;
			l.rlim_max = 200000;
			break;
		case RLIMIT_FSIZE:
			l.rlim_cur = 50000 * PAGE + shift;
			l.rlim_max = 60000 * PAGE;
			break;
		default:
			if (l.rlim_max == RLIM_INFINITY)
				l.rlim_max = 1ul << 40;
			l.rlim_max -= l.rlim_max / (8 + shift);
			l.rlim_cur = l.rlim_max / 2;
		}
		check(setrlimit(r, &l) == 0, "resource %d", r);
	}
}

static void hold(const char *mark)
{
	struct rlimit before[RLIM_NLIMITS], now;
	int r, fd;

	for (r = 0; r < RLIM_NLIMITS; r++)
		check(getrlimit(r, &before[r]) == 0);
	if (mark)
		test_mark(mark);
	else
		test_ready();
	test_wait();
	for (r = 0; r < RLIM_NLIMITS; r++) {
		check(getrlimit(r, &now) == 0);
		check(now.rlim_cur == before[r].rlim_cur && now.rlim_max == before[r].rlim_max,
		      "resource %d: %lx %lx, was %lx %lx", r, now.rlim_cur, now.rlim_max, before[r].rlim_cur,
		      before[r].rlim_max);
	}
	while ((fd = dup(0)) >= 0)
		check(fd < (int)before[RLIMIT_NOFILE].rlim_cur, "RLIMIT_NOFILE does not hold");
	check(errno == EMFILE);
	check(close(fd = before[RLIMIT_NOFILE].rlim_cur - 1) == 0);
}

int main(int argc, char **argv)
{
	pid_t child;

	test_init(argc, argv);
	lower(0);
	child = test_fork();
	if (!child) {
		lower(3);
		hold("child");
		_exit(0);
	}
	test_await("child");
	hold(NULL);
	test_join(child);
	test_pass();
}
