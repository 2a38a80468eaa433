/* SPDX-License-Identifier: MIT
 *
 * Children stopped by SIGSTOP and, as job control does, by SIGTSTP; one with a handler for it, which stopped itself. They are still stopped after the
 * restore, by the same signal, and SIGCONT lets them go on.
 */
#include "test.h"

#define CHILDREN 3

static void on_stop(int sig)
{
	(void)sig;
	raise(SIGSTOP);
}

static pid_t child(int sig, int handled)
{
	pid_t pid = test_fork();
	siginfo_t info;

	if (!pid) {
		setpgid(0, 0);
		if (handled)
			signal(SIGTSTP, on_stop);
		raise(sig);
		_exit(60 + sig);
	}
	check(waitid(P_PID, pid, &info, WSTOPPED) == 0);
	return pid;
}

static int state_of(pid_t pid)
{
	char path[64], text[512] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
	close(fd);
	return strrchr(text, ')')[2];
}

int main(int argc, char **argv)
{
	static const int sigs[CHILDREN] = { SIGSTOP, SIGTSTP, SIGTSTP };
	pid_t children[CHILDREN];
	int status;

	test_init(argc, argv);
	for (int i = 0; i < CHILDREN; i++)
		children[i] = child(sigs[i], i == 2);
	test_ready();
	test_wait();
	for (int i = 0; i < CHILDREN; i++) {
		check(state_of(children[i]) == 'T', "child %d: state %c", i, state_of(children[i]));
		/* the restore may have told of the stop once more */
		if (waitpid(children[i], &status, WNOHANG | WUNTRACED) == children[i])
			check(WIFSTOPPED(status) && WSTOPSIG(status) == (i == 1 ? SIGTSTP : SIGSTOP), "child %d: status %x", i, status);
		check(kill(children[i], SIGCONT) == 0 && waitpid(children[i], &status, 0) == children[i]);
		check(WIFEXITED(status) && WEXITSTATUS(status) == 60 + sigs[i], "child %d: status %x", i, status);
	}
	test_pass();
}
