/* SPDX-License-Identifier: MIT
 *
 * A restore in a namespace where the old pids are free. Who does what:
 *
 *   maker        enters the user namespace, opens what is to be open before any task, clones the root as its parent's child, so that
 *                wait(2) outside tells of the real root; ends
 *   init         pid 1 of the namespace (pidns_init.c), stays
 *   coordinator  lives in the namespace, where pids are those of the images, and leads the tree; ends
 *
 * With restore_sibling we are the maker ourselves, since only then our parent becomes the root's; else a child of ours is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "tree/pidns.h"
#include "tree/restore_tree.h"

/* What one process tells another when it is done. In shared memory. */
struct outcome {
	bool done;
	int code;
	char text[ERR_TEXT_MAX];
	pid_t root;
	pid_t dying; /* the root of a restore that has failed, to be taken away by whoever is its parent; 0: none */
};

static struct outcome *new_outcome(void)
{
	struct outcome *o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return o == MAP_FAILED ? NULL : o;
}

static void set_outcome(struct outcome *o, pid_t root)
{
	o->code = err_code();
	snprintf(o->text, sizeof(o->text), "%s", err_text());
	o->root = root;
	o->done = true;
}

/* Waits for the end of who sets it. Returns 0 or -1 with its error set; it is in the log already. */
static int await_outcome(const struct outcome *o, pid_t pid, const char *who)
{
	int status = 0;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	if (!o->done)
		return err_set(ECHILD, "the restore's %s was ended by signal %d", who, WTERMSIG(status));
	return o->code ? err_adopt(o->code, o->text) : 0;
}

/* The same for the maker, which waits for the namespace to end: that takes the end of its root, our child. */
static int await_maker(struct outcome *o, pid_t maker)
{
	pid_t ended = 0, dying;

	while (!ended) {
		siginfo_t info = { 0 };

		/* Whoever it is stays to be waited for. */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | __WALL) < 0 && errno != EINTR)
			break;
		dying = __atomic_load_n(&o->dying, __ATOMIC_SEQ_CST);
		if (dying > 0 && waitpid(dying, NULL, __WALL | WNOHANG) == dying)
			o->dying = 0;
		if (info.si_pid == maker)
			ended = maker;
		else
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	return await_outcome(o, maker, "maker");
}

/* --- pids --- */

static pid_t highest_pid(const struct restore *restore)
{
	pid_t highest = 1;

	for (size_t i = 0; i < restore->task_count; i++) {
		const struct restore_task *task = &restore->tasks[i];

		for (size_t t = 0; t < task->thread_count; t++)
			if (task->threads[t].tid > highest)
				highest = task->threads[t].tid;
		highest = task->pid > highest ? task->pid : highest;
		highest = task->pgid > highest ? task->pgid : highest;
		highest = task->sid > highest ? task->sid : highest;
	}
	return highest;
}

static bool is_needed(const struct restore *restore, pid_t pid)
{
	for (size_t i = 0; i < restore->task_count; i++) {
		const struct restore_task *task = &restore->tasks[i];

		if (task->pid == pid || task->pgid == pid || task->sid == pid)
			return true;
		for (size_t t = 0; t < task->thread_count; t++)
			if (task->threads[t].tid == pid)
				return true;
	}
	return false;
}

/* Pids that are not chosen shall not be ours: the next ones are behind all that are. */
static void count_on_from(pid_t pid)
{
	auto_fd fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	if (fd < 0 || write_all(fd, text, strlen(text)) < 0)
		pr_warn("cannot set ns_last_pid of the new namespace");
}

/* --- coordinator --- */

static pid_t clone_with_pid(pid_t pid)
{
	struct clone_args clone = { .exit_signal = SIGCHLD, .set_tid = (uint64_t)&pid, .set_tid_size = 1 };

	return syscall(SYS_clone3, &clone, sizeof(clone));
}

static int coordinate(struct restore *restore)
{
	struct outcome *o = new_outcome();
	pid_t own = 2, child;

	while (is_needed(restore, own))
		own++;
	child = o ? clone_with_pid(own) : -1;
	if (child < 0)
		return err_errno("cannot start the restore's coordinator");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		restore->coordinator = own;
		count_on_from(highest_pid(restore) > own ? highest_pid(restore) : own);
		restore_lead(restore);
		set_outcome(o, 0);
		_exit(0);
	}
	return await_outcome(o, child, "coordinator");
}

/* --- maker --- */

/* told: the outcome for the root's parent, NULL when that is none of ours. */
static int make(struct restore *restore, int life, struct outcome *told)
{
	struct pidns_init init;
	struct restore_self self;
	int outcome;

	if (pidns_unshare() < 0 || pidns_start_init(&init, life) < 0)
		return -1;
	outcome = restore_prepare(restore, &self);
	if (!outcome)
		outcome = pidns_mount_proc(&init);
	if (!outcome)
		outcome = restore_start_root(restore, CLONE_PARENT);
	if (!outcome)
		outcome = coordinate(restore);
	if (!outcome)
		outcome = pidns_release(&init, restore->tasks[0].pid);
	if (outcome < 0) {
		if (told)
			__atomic_store_n(&told->dying, restore->root_outside, __ATOMIC_SEQ_CST);
		pidns_kill(&init);
	}
	restore_clean_up(restore, &self, !outcome);
	return outcome;
}

/* The tree ends with us, its supervisor; without one it lives by itself. Returns the end of a pipe for the init. */
static int tie(const struct restore *restore)
{
	int ends[2];

	if (restore->request->life_fd)
		return restore->request->life_fd;
	if (restore->request->restore_detached || restore->request->restore_sibling || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	return ends[0];
}

int restore_in_pidns(struct restore *restore)
{
	struct outcome *o = new_outcome();
	int life = tie(restore), result;
	pid_t child;

	pr_info("the old pids cannot be had outside: restoring in a user and pid namespace");
	if (restore->request->restore_sibling)
		return make(restore, life, NULL);
	child = o ? fork() : -1;
	if (child < 0)
		return err_errno("cannot start the restore's maker");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make(restore, life, o);
		set_outcome(o, restore->root_outside);
		_exit(0);
	}
	result = await_maker(o, child);
	restore->root_outside = o->root;
	if (life >= 0)
		close(life);
	/* Killed with the namespace; ours to take away, if that has not happened. */
	if (result < 0 && o->root > 0)
		waitpid(o->root, NULL, __WALL);
	return result;
}
