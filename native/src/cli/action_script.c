/* SPDX-License-Identifier: MIT */
#include "cli/action_script.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"

static void run_script(const struct request *request, const char *stage, pid_t pid)
{
	char text[64];
	sigset_t none;

	/* A restore works with all signals blocked. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setenv("CRTOOLS_SCRIPT_ACTION", stage, 1);
	snprintf(text, sizeof(text), "%d", pid);
	if (pid)
		setenv("CRTOOLS_INIT_PID", text, 1);
	snprintf(text, sizeof(text), "/proc/%d/fd/%d", getppid(), request->images_fd);
	setenv("CRTOOLS_IMAGE_DIR", text, 1);
	execl(request->action_script, request->action_script, (char *)NULL);
	_exit(127);
}

int action_script_run(const struct request *request, const char *stage, pid_t pid)
{
	pid_t child;
	int status;

	/* criu(8): only for those who ask over RPC. */
	if (!strcmp(stage, "query-ext-files"))
		return 0;
	child = fork();
	if (child < 0)
		return err_errno("cannot start %s", request->action_script);
	if (child == 0)
		run_script(request, stage, pid);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno("lost %s", request->action_script);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(ENOENT, "the action script %s cannot be run", request->action_script);
	if (status)
		return err_set(ECANCELED, "the action script %s failed at %s (wait status 0x%x)", request->action_script, stage, status);
	return 0;
}
