/* SPDX-License-Identifier: MIT */
#include "cli/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/null_stdio.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

static int waiting = -1; /* the parent's end is readable until we close this one */

int background_start(void)
{
	int ends[2];
	char ok;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno("cannot make a pipe");
	pid = fork();
	if (pid < 0)
		return err_errno("cannot go into the background");
	if (pid == 0) {
		close(ends[0]);
		waiting = ends[1];
		setsid();
		return 0;
	}
	close(ends[1]);
	_exit(read_all(ends[0], &ok, 1) == 0 ? 0 : 1);
}

void background_ready(void)
{
	if (waiting < 0)
		return;
	if (write_all(waiting, "", 1) < 0)
		pr_debug("nobody waits for the background");
	close(waiting);
	waiting = -1;
	null_stdio();
}
