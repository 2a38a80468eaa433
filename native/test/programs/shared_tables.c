/* SPDX-License-Identifier: MIT
 *
 * Children that share a table with their parent, by argument: "files" (CLONE_FILES): a descriptor opened by one is seen
 * by the other; "fs" (CLONE_FS): so is chdir(); "sighand" (CLONE_VM | CLONE_SIGHAND): so is a handler.
 */
#include "test.h"

static void on_usr1(int sig)
{
	(void)sig;
}

static char child_stack[64 * 1024] __attribute__((aligned(16)));
static const char *kind;

static int child(void *unused)
{
	(void)unused;
	test_mark("child");
	test_wait();
	if (!strcmp(kind, "files"))
		check(dup2(0, 345) == 345);
	else if (!strcmp(kind, "fs"))
		check(chdir("/proc") == 0);
	else
		check(signal(SIGUSR1, on_usr1) != SIG_ERR);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa;
	char cwd[4096];
	int flags;
	pid_t pid;

	test_init(argc, argv);
	check(argc == 3);
	kind = argv[2];
	flags = !strcmp(kind, "files") ? CLONE_FILES : !strcmp(kind, "fs") ? CLONE_FS : CLONE_VM | CLONE_SIGHAND;
	pid = clone(child, child_stack + sizeof child_stack, flags | SIGCHLD, NULL);
	check(pid > 0);
	test_await("child");
	test_ready();
	test_wait();
	test_join(pid);
	if (!strcmp(kind, "files"))
		check(fcntl(345, F_GETFD) == 0, "the descriptor table is not shared any more");
	else if (!strcmp(kind, "fs"))
		check(getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/proc"), "in %s: cwd is not shared any more", cwd);
	else
		check(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == on_usr1, "handlers are not shared any more");
	test_pass();
}
