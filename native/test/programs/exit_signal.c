/* SPDX-License-Identifier: MIT
 *
 * Children made by clone() with an exit signal other than SIGCHLD: SIGUSR1, or none at all. Only __WCLONE/__WALL waits
 * for them, and the parent must get just that signal.
 */
#include "test.h"

static volatile sig_atomic_t usr1, chld;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		usr1++;
	else
		chld++;
}

static int exit_signal(pid_t pid)
{
	char path[64], text[1024];
	int fd, field, n;
	char *p;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0);
	n = read(fd, text, sizeof text - 1);
	check(n > 0);
	close(fd);
	text[n] = 0;
	p = strrchr(text, ')') + 2;
	for (field = 3; field < 38; field++) /* proc(5): exit_signal is field 38 */
		p = strchr(p, ' ') + 1;
	return atoi(p);
}

static pid_t clone_with(int sig, const char *mark)
{
	pid_t pid = syscall(SYS_clone, (long)sig, 0, 0, 0, 0);

	check(pid >= 0);
	if (!pid) {
		test_mark(mark);
		test_wait();
		_exit(0);
	}
	test_await(mark);
	return pid;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	pid_t with, without, usual;

	test_init(argc, argv);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	with = clone_with(SIGUSR1, "with");
	without = clone_with(0, "without");
	usual = clone_with(SIGCHLD, "usual");
	test_ready();
	test_wait();
	check(exit_signal(with) == SIGUSR1, "exit signal %d", exit_signal(with));
	check(exit_signal(without) == 0, "exit signal %d", exit_signal(without));
	check(exit_signal(usual) == SIGCHLD, "exit signal %d", exit_signal(usual));
	test_join(with);
	test_join(without);
	test_join(usual);
	check(usr1 == 1 && chld == 1, "%d SIGUSR1, %d SIGCHLD", usr1, chld);
	test_pass();
}
