/* SPDX-License-Identifier: MIT */
#include "lazy/victims.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

#define VICTIMS_MAX 65536

static struct victims {
	uint32_t count;
	struct {
		pid_t pid;
		int fd;
	} list[VICTIMS_MAX];
} *victims;

int victims_prepare(void)
{
	victims = mmap(NULL, sizeof(*victims), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (victims != MAP_FAILED)
		return 0;
	victims = NULL;
	return err_errno("cannot map shared memory");
}

void victims_add(pid_t pid)
{
	uint32_t n = victims->count;
	int fd = pid > 0 && n < VICTIMS_MAX ? pidfd_open(pid, 0) : -1;

	if (fd < 0) {
		pr_warn("a process of the tree (pid %d as seen from here) could not be ended if the daemon failed", pid);
		return;
	}
	victims->list[n].pid = pid;
	victims->list[n].fd = fd;
	__atomic_store_n(&victims->count, n + 1, __ATOMIC_RELEASE);
}

/* Stopped first: nobody forks away from it. */
static void kill_from(pid_t pid, int depth)
{
	char path[64];
	struct dirent *d;
	DIR *tasks;

	if (depth > 512 || kill(pid, SIGSTOP) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (d = readdir(tasks))) {
		auto_free char *name = xasprintf("task/%s/children", d->d_name);
		auto_free char *text = d->d_name[0] == '.' ? NULL : proc_read(pid, name, NULL);
		char *at = text, *end;

		for (long child; at && (child = strtol(at, &end, 10)) > 1 && end != at; at = end)
			kill_from(child, depth + 1);
	}
	if (tasks)
		closedir(tasks);
	kill(pid, SIGKILL);
}

void victims_kill(void)
{
	uint32_t count = __atomic_load_n(&victims->count, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < count; i++)
		/* Still the same one, living or a zombie: its number is not another's. */
		if (pidfd_send_signal(victims->list[i].fd, 0, NULL, 0) == 0)
			kill_from(victims->list[i].pid, 0);
	if (count)
		pr_warn("the restored processes have been killed, for memory that does not come");
}
