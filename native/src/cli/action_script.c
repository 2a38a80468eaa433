/* SPDX-License-Identifier: MIT */
#include "cli/action_script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"

static void run_script(const struct request *request, const char *own, const char *script, const char *stage, pid_t pid)
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
	snprintf(text, sizeof(text), "/proc/%s/fd/%d", own, request->images_fd);
	/* In a namespace where the script may not look into us, it gets the directory itself. */
	if (access(text, R_OK) < 0 && fcntl(request->images_fd, F_SETFD, 0) == 0)
		snprintf(text, sizeof(text), "/proc/self/fd/%d", request->images_fd);
	setenv("CRTOOLS_IMAGE_DIR", text, 1);
	if (request->work_fd >= 0 && fchdir(request->work_fd) < 0)
		_exit(127);
	execl(script, script, (char *)NULL);
	_exit(127);
}

static int run_one(const struct request *request, const char *script, const char *stage, pid_t pid)
{
	char own[16] = "self";
	/* Our pid as /proc has it, which may be that of another pid namespace. */
	ssize_t n = readlink("/proc/self", own, sizeof(own) - 1);
	pid_t child = fork();
	int status;

	own[n > 0 ? n : 4] = 0;
	if (child < 0)
		return err_errno("cannot start %s", script);
	if (child == 0)
		run_script(request, own, script, stage, pid);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno("lost %s", script);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(ENOENT, "the action script %s cannot be run", script);
	if (status)
		return err_set(ECANCELED, "the action script %s failed at %s (wait status 0x%x)", script, stage, status);
	return 0;
}

int action_script_add(struct request *request, const char *path)
{
	char *whole = realpath(path, NULL);

	request->action_scripts = xrealloc(request->action_scripts, (request->action_script_count + 1) * sizeof(*request->action_scripts));
	request->action_scripts[request->action_script_count++] = whole ? whole : path;
	request->notify = action_script_run;
	return 0;
}

int action_script_run(const struct request *request, const char *stage, pid_t pid)
{
	/* criu(8): only for those who ask over RPC. */
	if (!strcmp(stage, "query-ext-files"))
		return 0;
	for (size_t i = request->action_script_count; i-- > 0;)
		if (run_one(request, request->action_scripts[i], stage, pid) < 0)
			return -1;
	return 0;
}
