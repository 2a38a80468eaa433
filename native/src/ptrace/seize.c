/* SPDX-License-Identifier: MIT */
#include "ptrace/seize.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "common/util.h"

#define TICK_US 50000

static void on_tick(int sig)
{
}

void tick_start(void)
{
	struct sigaction sa = { .sa_handler = on_tick };
	struct itimerval t = { { 0, TICK_US }, { 0, TICK_US } };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

void tick_stop(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
}

static bool is_dead(pid_t tid)
{
	auto_free char *stat = proc_read(tid, "stat", NULL);
	const char *end = stat ? strrchr(stat, ')') : NULL;

	return !end || end[2] == 'Z' || end[2] == 'X';
}

int wait_thread(pid_t tid, int *status)
{
	if (waitpid(tid, status, __WALL) >= 0) {
		if (WIFSTOPPED(*status))
			return 0;
		errno = ESRCH;
		return -1;
	}
	if (errno == EINTR && is_dead(tid))
		errno = ESRCH;
	return -1;
}

int seize_thread(pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) < 0)
		return -1;
	return ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 ? -1 : 0;
}

int wait_stopped(pid_t tid, int *stop_signal, uint64_t deadline)
{
	int status;

	for (;;) {
		if (wait_thread(tid, &status) < 0) {
			if (errno != EINTR)
				return -1;
			if (deadline && now_us() > deadline) {
				errno = ETIMEDOUT;
				return -1;
			}
			continue;
		}
		if (status >> 16 == PTRACE_EVENT_STOP) {
			int sig = WSTOPSIG(status);

			if (stop_signal)
				*stop_signal = sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU ? sig : 0;
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
