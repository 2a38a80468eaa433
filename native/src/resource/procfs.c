/* SPDX-License-Identifier: MIT */
#include "resource/procfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/util.h"

/* A pid that somebody has just given up may take a little until it is free. */
#define PID_WAIT_US 3000000
#define PID_NAP_NS 2000000

pid_t procfs_pid(const char *path)
{
	char *end;
	unsigned long pid;

	if (strncmp(path, "/proc/", 6) || !isdigit((unsigned char)path[6]))
		return 0;
	pid = strtoul(path + 6, &end, 10);
	return (*end == 0 || *end == '/') && pid <= INT_MAX ? (pid_t)pid : 0;
}

int procfs_with_child(pid_t *pid, int (*made)(void *arg), void *arg)
{
	struct clone_args clone = { .set_tid = (uint64_t)pid, .set_tid_size = 1 };
	uint64_t start = now_us();
	long child;
	int result, saved;

	if (!*pid)
		clone.set_tid = clone.set_tid_size = 0;
	while ((child = syscall(SYS_clone3, &clone, sizeof(clone))) < 0 && errno == EEXIST && now_us() - start < PID_WAIT_US) {
		struct timespec nap = { 0, PID_NAP_NS };

		nanosleep(&nap, NULL);
	}
	if (child < 0)
		return -1;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	*pid = child;
	result = made(arg);
	saved = errno;
	kill(child, SIGKILL);
	while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		;
	errno = saved;
	return result;
}

struct wanted {
	const char *path;
	int flags;
};

static int open_wanted(void *arg)
{
	const struct wanted *w = arg;

	return open(w->path, w->flags);
}

int procfs_open_dead(pid_t pid, const char *path, int flags)
{
	struct wanted w = { path, flags };

	return procfs_with_child(&pid, open_wanted, &w);
}
