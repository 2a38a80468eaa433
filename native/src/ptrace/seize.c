/* SPDX-License-Identifier: MIT */
#include "ptrace/seize.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

int seize_thread(pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) < 0)
		return -1;
	return ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 ? -1 : 0;
}

int wait_stopped(pid_t tid, bool *group_stop)
{
	int status;

	for (;;) {
		if (waitpid(tid, &status, __WALL) < 0)
			return -1;
		if (!WIFSTOPPED(status)) {
			errno = ESRCH;
			return -1;
		}
		if (status >> 16 == PTRACE_EVENT_STOP) {
			int sig = WSTOPSIG(status);

			if (group_stop)
				*group_stop = sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
			return 0;
		}
		/* A signal in front of our interrupt: deliver it, the interrupt stays pending. */
		if (ptrace(PTRACE_CONT, tid, 0, status >> 16 ? 0 : WSTOPSIG(status)) < 0 && errno != ESRCH)
			return -1;
	}
}

void release_thread(pid_t tid)
{
	ptrace(PTRACE_DETACH, tid, 0, 0);
}
