/* SPDX-License-Identifier: MIT
 *
 * Ids whose owner is gone: a process group and a session whose leaders have ended, and an orphan that the root
 * adopted as child subreaper.
 */
#include "test.h"

static void hold(const char *mark)
{
	pid_t pgrp = getpgrp(), sid = getsid(0), ppid = getppid();

	test_mark(mark);
	test_wait();
	check(getpgrp() == pgrp, "%s: group %d, was %d", mark, getpgrp(), pgrp);
	check(getsid(0) == sid, "%s: session %d, was %d", mark, getsid(0), sid);
	check(getppid() == ppid, "%s: parent %d, was %d", mark, getppid(), ppid);
	_exit(0);
}

/* the adopted one, whose pid we were not told */
static pid_t only_child(void)
{
	char path[64];
	FILE *f;
	int pid = 0;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	check(f && fscanf(f, "%d", &pid) == 1);
	fclose(f);
	return pid;
}

int main(int argc, char **argv)
{
	pid_t root = getpid(), leader, member = -1, session;
	int subreaper = 0;
	int kind;

	test_init(argc, argv);
	check(argc == 3);
	kind = argv[2][0];
	if (kind == 'g') { /* group without leader */
		leader = test_fork();
		if (!leader) {
			setpgid(0, 0);
			test_await("member");
			_exit(0);
		}
		member = test_fork();
		if (!member) {
			while (setpgid(0, leader))
				sched_yield();
			hold("member");
		}
		test_join(leader);
	} else { /* session without leader, its member adopted by us */
		check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
		session = test_fork();
		if (!session) {
			pid_t child;

			check(setsid() == getpid());
			child = test_fork();
			if (!child) {
				while (getppid() != root)
					sched_yield();
				hold("member");
			}
			_exit(0);
		}
		test_join(session);
	}
	test_await("member");
	if (kind != 'g')
		member = only_child();
	test_ready();
	test_wait();
	if (kind != 'g')
		check(prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper == 1);
	test_join(member);
	test_pass();
}
