/* SPDX-License-Identifier: MIT
 *
 * What a task does by itself, from its birth with the recorded pid until it enters the restorer's blob. It runs pcr's code in a
 * copy of the coordinator's memory, all signals blocked, and dies with its parent until the coordinator traces it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "lazy/handover.h"
#include "resource/cgroup.h"
#include "resource/clocks.h"
#include "resource/fs.h"
#include "resource/shmem.h"
#include "resource/signal.h"
#include "resource/tty.h"
#include "resource/vma_inherit.h"
#include "resource/vma_restore.h"
#include "tree/restore_tree.h"

/* A pid of a process killed a moment ago is free when its parent has reaped it; a busy PID 1 takes its time. */
#define PID_WAIT_US 3000000
#define PID_NAP_NS 2000000
#define ADOPTION_TRIES 5000

static void bump(uint32_t *word)
{
	__atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void park(struct restorer_shared *shared) __attribute__((noreturn));
static void park(struct restorer_shared *shared)
{
	for (;;)
		syscall(SYS_futex, &shared->never, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/* Hands the error to the coordinator, which then kills us all. */
static void give_up(struct restore *restore, struct restore_task *task) __attribute__((noreturn));
static void give_up(struct restore *restore, struct restore_task *task)
{
	struct restorer_shared *shared = restore->shared;

	if (__atomic_exchange_n(&shared->error_owner, 1, __ATOMIC_SEQ_CST) == 0) {
		shared->error_pid = task->pid;
		shared->error_code = err_code();
		snprintf(shared->error_text, sizeof(shared->error_text), "%s", err_text());
		__atomic_store_n(&shared->error_ready, 1, __ATOMIC_SEQ_CST);
		bump(&shared->event);
	}
	park(shared);
}

static void wait_for_stage(struct restorer_shared *shared, uint32_t wanted)
{
	for (;;) {
		uint32_t stage = __atomic_load_n(&shared->stage, __ATOMIC_SEQ_CST);

		if (stage == STAGE_ABORT)
			park(shared);
		if (stage >= wanted)
			return;
		syscall(SYS_futex, &shared->stage, FUTEX_WAIT, stage, NULL, NULL, 0);
	}
}

/* Who has the pid that we need. */
static void describe_holder(pid_t pid, char *text, size_t size)
{
	auto_free char *stat = proc_read(pid, "stat", NULL);
	char *name = stat ? strchr(stat, '(') : NULL, *end = stat ? strrchr(stat, ')') : NULL;

	if (!name || !end || end[1] != ' ') {
		snprintf(text, size, "a process or thread, group or session");
		return;
	}
	*end = 0;
	snprintf(text, size, "\"%.15s\" (%s)", name + 1, end[2] == 'Z' ? "a zombie that its parent has not reaped" : "running or stopped");
}

pid_t restore_clone(struct restore *restore, struct restore_task *task, uint64_t flags)
{
	const TaskCoreEntry *tc = task->helper ? NULL : task->threads[0].core->tc;
	struct clone_args clone = {
		.flags = flags,
		.exit_signal = flags & CLONE_PARENT ? 0 : tc && tc->has_pcr_exit_signal ? tc->pcr_exit_signal : SIGCHLD,
		.set_tid = (uint64_t)&task->pid,
		.set_tid_size = 1,
	};
	uint64_t start = now_us();
	char holder[128];
	pid_t pid;

	while ((pid = syscall(SYS_clone3, &clone, sizeof(clone))) < 0 && errno == EEXIST && now_us() - start < PID_WAIT_US) {
		struct timespec nap = { 0, PID_NAP_NS };

		nanosleep(&nap, NULL);
	}
	if (pid >= 0)
		return pid;
	if (errno == EEXIST) {
		describe_holder(task->pid, holder, sizeof(holder));
		err_set(EEXIST, "pid %d is taken by %s; wait until it has ended or restore in a pid namespace of its own", task->pid, holder);
	} else if (errno == EPERM) {
		err_set(EPERM, "cannot create a process with pid %d: choosing the pid takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN", task->pid);
	} else {
		err_errno("cannot create a process with pid %d", task->pid);
	}
	return -1;
}

/* A task that loses its parent while it is not traced yet must not stay behind. */
static void die_with_parent(struct restore *restore, struct restore_task *task, pid_t parent)
{
	const struct timespec limit = { 10, 0 };

	if (!task->parent && restore->root_is_sibling) {
		/* Its parent is pcr's parent: the coordinator's trace takes the place of the signal. */
		while (!__atomic_load_n(&restore->shared->root_seized, __ATOMIC_SEQ_CST))
			if (syscall(SYS_futex, &restore->shared->root_seized, FUTEX_WAIT, 0, &limit, NULL, 0) < 0 && errno == ETIMEDOUT)
				_exit(1);
		return;
	}
	/* An orphan first loses who cloned it. */
	for (int tries = 0; task->adopted && getppid() != parent && tries < ADOPTION_TRIES; tries++) {
		struct timespec nap = { 0, PID_NAP_NS };

		nanosleep(&nap, NULL);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

static void create(struct restore *restore, struct restore_task *task, struct restore_task *child)
{
	uint64_t flags = (task->helper || child->parent != task) && !child->adopted ? CLONE_PARENT : 0;
	pid_t pid;

	if (!child->helper && !child->zombie && child->files_owner != child)
		flags |= CLONE_FILES;
	if (child->shares_fs)
		flags |= CLONE_FS;
	pid = restore_clone(restore, child, flags);
	if (pid < 0)
		give_up(restore, task);
	if (pid == 0)
		restore_task_main(restore, child);
}

/* A child dies and leaves its own: in this session, and the nearest subreaper's. */
static void create_orphan(struct restore *restore, struct restore_task *task, struct restore_task *orphan)
{
	struct clone_args plain = { 0 };
	pid_t pid = syscall(SYS_clone3, &plain, sizeof(plain));
	int status;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		create(restore, task, orphan);
		_exit(0);
	}
	if (pid < 0) {
		err_errno("cannot create a process");
		give_up(restore, task);
	}
	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
}

static void create_family(struct restore *restore, struct restore_task *task, const struct restore_task *family, bool before_setsid)
{
	for (size_t i = 0; i < family->child_count; i++) {
		struct restore_task *child = &restore->tasks[family->children[i]];
		bool early = task->sid == task->pid && child->born_sid && child->born_sid != task->pid;

		if (child->maker == task && !child->adopted && early == before_setsid)
			create(restore, task, child);
	}
}

static void create_children(struct restore *restore, struct restore_task *task, bool before_setsid)
{
	if (!task->helper)
		create_family(restore, task, task, before_setsid);
	/* Who leads a session may make siblings that belong to it; a helper makes nothing else. */
	if (task->parent && task->sid == task->pid)
		create_family(restore, task, task->parent, before_setsid);
	for (size_t i = 0; i < restore->task_count && !before_setsid; i++)
		if (restore->tasks[i].adopted && restore->tasks[i].maker == task)
			create_orphan(restore, task, &restore->tasks[i]);
}

static int join_group(struct restore_task *task)
{
	if (task->pgid == task->pid || getpgrp() == task->pgid)
		return 0;
	if (setpgid(0, task->pgid) < 0) {
		/* With --shell-job a group outside the dump is pcr's. */
		if (task->born_sid == -1)
			return 0;
		return err_errno("cannot join process group %d", task->pgid);
	}
	return 0;
}

/* The children that are restored as zombies have ended, the helpers are gone, and nothing tells of it but wait(2). */
static int settle_zombies(struct restore *restore, struct restore_task *task)
{
	const struct timespec now = { 0, 0 };
	sigset_t chld;
	bool any = false;

	for (size_t i = 0; i < task->child_count; i++) {
		struct restore_task *child = &restore->tasks[task->children[i]];
		siginfo_t info;

		if (!child->zombie && !child->helper)
			continue;
		any = true;
		while (waitid(P_PID, child->pid, &info, WEXITED | (child->zombie ? WNOWAIT : 0)) < 0)
			if (errno != EINTR)
				return err_errno("its child %d, a zombie, is gone", child->pid);
	}
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (any && sigtimedwait(&chld, NULL, &now) > 0)
		;
	return 0;
}

/* exit_code is a wait(2) status. */
static void become_zombie(struct restore *restore, struct restore_task *task) __attribute__((noreturn));
static void become_zombie(struct restore *restore, struct restore_task *task)
{
	const TaskCoreEntry *tc = task->threads[0].core->tc;
	int status = tc->exit_code, sig = WTERMSIG(status);
	struct rlimit none = { 0, 0 };
	sigset_t set;

	prctl(PR_SET_NAME, tc->comm);
	/* What whoever started pcr had it ignore: as a shell's job in the background SIGINT, SIGQUIT. */
	for (int i = 1; i < _NSIG; i++)
		signal(i, SIG_DFL);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &tc->blk_sigset, NULL, sizeof(tc->blk_sigset));
	if (WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	setrlimit(RLIMIT_CORE, &none);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	kill(getpid(), sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(1);
}

/* Leads its session or group until everybody is where he belongs. */
static void be_helper(struct restore *restore) __attribute__((noreturn));
static void be_helper(struct restore *restore)
{
	uint32_t *joined = &restore->shared->joined, goal = restore->task_count - restore->helper_count, now;

	while ((now = __atomic_load_n(joined, __ATOMIC_SEQ_CST)) < goal)
		syscall(SYS_futex, joined, FUTEX_WAIT, now, NULL, NULL, 0);
	_exit(0);
}

static int set_oom_score_adj(const TaskCoreEntry *tc)
{
	char have[16] = "", want[16];
	auto_fd fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	ssize_t n;

	if (!tc->has_oom_score_adj)
		return 0;
	if (fd < 0 || (n = read(fd, have, sizeof(have) - 1)) < 0)
		return err_errno("cannot read its oom_score_adj");
	if (atoi(have) == tc->oom_score_adj)
		return 0;
	snprintf(want, sizeof(want), "%d", tc->oom_score_adj);
	if (write_all(fd, want, strlen(want)) < 0)
		return err_errno("cannot set oom_score_adj from %d to %s%s", atoi(have), want,
				 errno == EACCES ? " (lowering it takes CAP_SYS_RESOURCE)" : "");
	return 0;
}

static int set_coredump_filter(const TaskCoreEntry *tc)
{
	auto_fd fd = -1;
	char want[16];

	if (!tc->has_pcr_coredump_filter)
		return 0;
	snprintf(want, sizeof(want), "0x%x", tc->pcr_coredump_filter);
	fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write_all(fd, want, strlen(want)) < 0)
		return err_errno("cannot set coredump_filter to %s", want);
	return 0;
}

static void set_loginuid(const TaskCoreEntry *tc)
{
	char have[16] = "", want[16];
	auto_fd fd = open("/proc/self/loginuid", O_RDWR | O_CLOEXEC);

	if (!tc->has_loginuid || fd < 0 || read(fd, have, sizeof(have) - 1) < 0)
		return;
	snprintf(want, sizeof(want), "%u", tc->loginuid);
	/* the kernel takes it at offset 0 only */
	if (strcmp(have, want) && pwrite(fd, want, strlen(want), 0) < 0)
		pr_warn("cannot set its loginuid from %s to %s: %s", have, want, strerror(errno));
}

/* Who shares a descriptor table leaves it to its owner, which waits until nobody opens or maps files any more. */
static int place_files(struct restore *restore, struct restore_task *task)
{
	uint32_t *ready = &restore->slots[restore_index(restore, task->files_owner)].files_ready, sharers = 0, now;

	if (restore_finish_files(restore, task) < 0)
		return -1;
	if (task->files_owner != task) {
		bump(ready);
		return 0;
	}
	for (size_t i = 0; i < restore->task_count; i++)
		sharers += restore->tasks[i].files_owner == task;
	while ((now = __atomic_load_n(ready, __ATOMIC_SEQ_CST)) < sharers - 1)
		syscall(SYS_futex, ready, FUTEX_WAIT, now, NULL, NULL, 0);
	return restore_place_files(restore, task);
}

static int build(struct restore *restore, struct restore_task *task)
{
	const TaskCoreEntry *tc = task->threads[0].core->tc;

	if (restore->late_count) {
		wait_for_stage(restore->shared, STAGE_CREATED);
		if (restore_open_late_files(restore, task) < 0)
			return -1;
	}
	if (vmas_restore(restore, task) < 0 || (task->lazy_count && lazy_hand_over(restore, task) < 0))
		return -1;
	if (set_oom_score_adj(tc) < 0 || set_coredump_filter(tc) < 0)
		return -1;
	set_loginuid(tc);
	if (!task->shares_fs && fs_restore(task) < 0)
		return -1;
	/* Needs groups and pids that others make. */
	wait_for_stage(restore->shared, STAGE_CREATED);
	/* The blob makes it one again if it was one. */
	if (task->adopts)
		prctl(PR_SET_CHILD_SUBREAPER, 0);
	if (join_group(task) < 0 || tty_set_foreground(restore, task) < 0)
		return -1;
	bump(&restore->shared->joined);
	if (settle_zombies(restore, task) < 0)
		return -1;
	if (place_files(restore, task) < 0)
		return -1;
	return sigactions_restore(tc);
}

void restore_task_main(struct restore *restore, struct restore_task *task)
{
	log_set_pid(task->pid);
	restore->slots[restore_index(restore, task)].born = 1;
	die_with_parent(restore, task, task->parent ? task->parent->pid : restore->coordinator);
	if (!task->parent && clocks_enter(restore) < 0)
		give_up(restore, task);
	if (!task->zombie && !task->helper)
		cgroup_enter(restore, task);
	if (!task->zombie && !task->helper && (vmas_set_thp(task) < 0 || restore_open_files(restore, task) < 0 ||
					      shmem_create(restore, task) < 0 || vmas_inherit(restore, task) < 0))
		give_up(restore, task);
	if (task->adopts)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	create_children(restore, task, true);
	if (task->sid == task->pid && setsid() < 0) {
		err_errno("cannot lead a session");
		give_up(restore, task);
	}
	if (task->pgid == task->pid && task->sid != task->pid && setpgid(0, 0) < 0) {
		err_errno("cannot lead a process group");
		give_up(restore, task);
	}
	if (task->sid == task->pid && !task->helper && !task->zombie && tty_take_controlling(restore, task) < 0)
		give_up(restore, task);
	create_children(restore, task, false);
	bump(&restore->shared->created);
	bump(&restore->shared->event);
	if (task->helper)
		be_helper(restore);
	if (task->zombie) {
		wait_for_stage(restore->shared, STAGE_CREATED);
		if (join_group(task) < 0)
			give_up(restore, task);
		bump(&restore->shared->joined);
		become_zombie(restore, task);
	}
	if (build(restore, task) == 0)
		restore_enter_blob(restore, task);
	give_up(restore, task);
}
