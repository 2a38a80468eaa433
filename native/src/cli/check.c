/* SPDX-License-Identifier: MIT */
#include "cli/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "ptrace/seize.h"

static bool has_kcmp(void)
{
	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0) == 0;
}

static bool has_children(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", getpid(), getpid());
	return access(path, R_OK) == 0;
}

static bool has_pidfd_getfd(void)
{
	auto_fd pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	auto_fd dup = pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, pidfd, 0);

	return dup >= 0;
}

/* clone3(2), set_tid: with pid 1 taken anybody who may choose gets EEXIST, everybody else EPERM. */
static bool has_set_tid(void)
{
	pid_t tid = 1;
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
	} args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1 };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid < 0 && errno == EEXIST;
}

static bool has_map_files(void)
{
	char link[64], target[4096];
	unsigned long start, end;
	auto_file *maps = fopen("/proc/self/maps", "re");

	while (maps && fscanf(maps, "%lx-%lx%*[^\n]", &start, &end) == 2) {
		snprintf(link, sizeof(link), "/proc/self/map_files/%lx-%lx", start, end);
		if (readlink(link, target, sizeof(target)) > 0)
			return open(link, O_RDONLY | O_CLOEXEC) >= 0;
	}
	return false;
}

static bool has_ptrace(void)
{
	pid_t child = fork();
	bool ok;

	if (child == 0)
		for (;;)
			pause();
	ok = child > 0 && seize_thread(child) == 0 && wait_stopped(child, NULL, 0) == 0;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, __WALL);
	}
	return ok;
}

static bool has_mm_map(void)
{
	unsigned int size = 0;

	return syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0;
}

static const struct need {
	const char *name, *what;
	bool (*there)(void);
	bool must;
} needs[] = {
	{ "ptrace", "stopping processes (PTRACE_SEIZE)", has_ptrace, true },
	{ "kcmp", "telling shared descriptors apart (CONFIG_KCMP)", has_kcmp, true },
	{ "children", "finding the tree (CONFIG_PROC_CHILDREN)", has_children, true },
	{ "pidfd_getfd", "looking at descriptors from outside (Linux 5.6)", has_pidfd_getfd, true },
	{ "mm_map", "restoring memory layouts (PR_SET_MM_MAP, CONFIG_CHECKPOINT_RESTORE)", has_mm_map, true },
	{ "set_tid", "restoring with the same pids outside a namespace (CAP_CHECKPOINT_RESTORE)", has_set_tid, false },
	{ "map_files", "shared anonymous memory (CAP_CHECKPOINT_RESTORE)", has_map_files, false },
};

int check_run(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		bool there = needs[i].there();

		if (out)
			fprintf(out, "%-12s %-8s %s\n", needs[i].name, there ? "ok" : needs[i].must ? "MISSING" : "missing", needs[i].what);
		if (!there && needs[i].must)
			err_set(ENOTSUP, "this machine lacks %s: %s", needs[i].name, needs[i].what);
	}
	return err_code() ? -1 : 0;
}
