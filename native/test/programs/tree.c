/* SPDX-License-Identifier: MIT
 *
 * A tree: children in groups of their own and of a sibling, a session below, a child that stayed in the session its
 * parent left, zombies not among them. Afterwards: ids, parents, wait and SIGCHLD.
 */
#include "test.h"

struct ids {
	pid_t pid, ppid, pgrp, sid;
};

static struct ids now(void)
{
	return (struct ids){ getpid(), getppid(), getpgrp(), getsid(0) };
}

static void hold(const char *mark)
{
	struct ids before = now(), after;

	test_mark(mark);
	test_wait();
	after = now();
	check(before.pid == after.pid && before.ppid == after.ppid && before.pgrp == after.pgrp && before.sid == after.sid,
	      "%s: pid %d ppid %d pgrp %d sid %d, was %d %d %d %d", mark, after.pid, after.ppid, after.pgrp, after.sid,
	      before.pid, before.ppid, before.pgrp, before.sid);
}

static void leaf(const char *mark)
{
	hold(mark);
	_exit(0);
}

static volatile sig_atomic_t chld;

static void on_chld(int sig)
{
	(void)sig;
	chld++;
}

int main(int argc, char **argv)
{
	pid_t a, b, c, s;
	struct sigaction sa = { .sa_handler = on_chld, .sa_flags = SA_RESTART };

	test_init(argc, argv);
	/* the runner starts us as session leader */
	check(getsid(0) == getpid() && getpgrp() == getpid(), "start me with setsid");
	check(sigaction(SIGCHLD, &sa, NULL) == 0);
	a = test_fork();
	if (!a) {
		check(setpgid(0, 0) == 0);
		leaf("a");
	}
	test_await("a");
	b = test_fork();
	if (!b) {
		check(setpgid(0, getppid()) == 0);
		check(setpgid(0, a) == 0);
		leaf("b");
	}
	c = test_fork();
	if (!c)
		leaf("c");
	s = test_fork();
	if (!s) {
		pid_t old, young, deep;

		/* born before setsid(): stays behind in the root's session and group */
		old = test_fork();
		if (!old)
			leaf("old");
		test_await("old");
		check(setsid() == getpid());
		young = test_fork();
		if (!young) {
			check(setpgid(0, 0) == 0);
			deep = test_fork();
			if (!deep)
				leaf("deep");
			test_await("deep");
			hold("young");
			test_join(deep);
			_exit(0);
		}
		test_await("young");
		hold("s");
		test_join(old);
		test_join(young);
		_exit(0);
	}
	test_await("b");
	test_await("c");
	test_await("s");
	test_ready();
	test_wait();
	test_join(a);
	test_join(b);
	test_join(c);
	test_join(s);
	check(chld >= 1, "no SIGCHLD came");
	check(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
	test_pass();
}
