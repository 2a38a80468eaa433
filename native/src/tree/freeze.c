/* SPDX-License-Identifier: MIT */
#include "tree/freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <sys/syscall.h>

#include <dirent.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "ptrace/regs.h"
#include "ptrace/seize.h"
#include "resource/vma.h"

#define DEFAULT_TIMEOUT 10 /* seconds, criu(8) --timeout */
#define FREE_FROM_KIB (8 * 1024UL) /* of a killed process */
#define PF_KTHREAD 0x00200000 /* include/linux/sched.h, /proc/PID/stat field 9 */

/* now_us() time at which freezing gives up. */
static uint64_t deadline;

/* Fields of /proc/PID/stat that the dump needs (proc_pid_stat(5)). */
static int read_stat_of(struct task *task, pid_t pid, char *state)
{
	auto_free char *text = proc_read(pid, "stat", NULL);
	char *comm, *end;
	unsigned long long start_time;
	int n;

	if (!text)
		return -1;
	comm = strchr(text, '(');
	end = strrchr(text, ')');
	if (!comm || !end) {
		errno = EINVAL;
		return -1;
	}
	snprintf(task->comm, sizeof(task->comm), "%.*s", (int)(end - comm - 1), comm + 1);
	n = sscanf(end + 2,
		   "%c %d %d %d %u %d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu %*u %*d %*u %lu %lu %lu %*u %*u %*u %*u "
		   "%*u %*u %*u %*u %*u %d %*d %*u %*u %*u %*u %*d %lu %lu %lu %lu %lu %lu %lu %d",
		   state, &task->ppid, &task->pgid, &task->sid, &task->tty_nr, &task->tpgid, &task->stat_flags, &start_time, &task->start_code, &task->end_code,
		   &task->start_stack, &task->exit_signal, &task->start_data, &task->end_data, &task->start_brk, &task->arg_start,
		   &task->arg_end, &task->env_start, &task->env_end, &task->exit_code);
	task->start_time = start_time;
	if (n < 20) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int read_stat(struct task *task, char *state)
{
	struct task leader;

	if (read_stat_of(task, task->pid, state) < 0)
		return -1;
	if (!task->leader_exited)
		return 0;
	/* The memory's fields only a living thread has; how it ended, and what is the process's, only the leader. */
	leader = *task;
	if (read_stat_of(task, task->live, state) < 0)
		return -1;
	memcpy(task->comm, leader.comm, sizeof(task->comm));
	task->exit_signal = leader.exit_signal;
	task->exit_code = leader.exit_code;
	task->start_time = leader.start_time;
	return 0;
}

/* Says why a process cannot be seized, in the order in which a person would ask. */
static int refuse_seize(pid_t pid, pid_t tid, int code)
{
	auto_free char *status = proc_read(pid, "status", NULL);
	const char *tracer = status ? status_field(status, "TracerPid") : NULL;

	if (!status || code == ESRCH)
		return err_set(ESRCH, "pid %d ended while it was being frozen", pid);
	if (tracer && atoi(tracer)) {
		auto_free char *comm = proc_read(atoi(tracer), "comm", NULL);

		if (comm)
			comm[strcspn(comm, "\n")] = 0;
		return err_set(EBUSY, "pid %d is traced already, by pid %d (%s): end that tracer (a debugger, strace, another dump) first", pid,
			       atoi(tracer), comm ? comm : "gone");
	}
	if (code == EPERM)
		return err_set(EPERM,
			       "pid %d: not allowed to stop thread %d: it belongs to another user, or ptrace is narrowed (see pcr check)",
			       pid, tid);
	errno = code;
	return err_errno("pid %d: cannot seize thread %d", pid, tid);
}

/* A leader that has ended stays a zombie until the last of its threads ends. */
static bool has_threads(pid_t pid)
{
	auto_free char *status = proc_read(pid, "status", NULL);
	const char *threads = status ? status_field(status, "Threads") : NULL;

	return threads && atoi(threads) > 1;
}

static bool leader_has_exited(pid_t pid)
{
	auto_free char *name = xasprintf("task/%d/stat", pid), *stat = proc_read(pid, name, NULL);
	const char *end = stat ? strrchr(stat, ')') : NULL;

	return end && end[1] && end[2] == 'Z' && has_threads(pid);
}

static int check_target(const struct task *task, char state)
{
	auto_free char *status = proc_read(task->pid, "status", NULL);
	const char *tgid = status ? status_field(status, "Tgid") : NULL;

	if (tgid && atoi(tgid) != task->pid)
		return err_set(EINVAL, "pid %d (%s) is a thread of process %d: name the process", task->pid, task->comm, atoi(tgid));
	if (task->stat_flags & PF_KTHREAD)
		return err_set(EINVAL, "pid %d (%s) is a kernel thread: only processes can be dumped", task->pid, task->comm);
	if (state == 'Z' && has_threads(task->pid))
		return 0;
	if (state == 'Z' || state == 'X')
		return err_set(ESRCH, "pid %d (%s) is a zombie: it has ended and waits for its parent %d", task->pid, task->comm, task->ppid);
	return 0;
}

static bool have_thread(const struct task *task, pid_t tid)
{
	/* Newest last, and /proc lists in order: usually the first look behind the end says no. */
	for (size_t i = task->thread_count; i-- > 0;)
		if (task->threads[i].tid == tid)
			return true;
	return false;
}

#define VFORKED "a child made with vfork(2) or posix_spawn(3), until that one has called execve or has ended"

/* Whether the system call that it is in makes a child, proc_pid_syscall(5). */
static bool makes_child(const struct task *task, pid_t tid)
{
	char name[64];
	auto_free char *text = NULL;
	long call;

	snprintf(name, sizeof(name), "task/%d/syscall", tid);
	text = proc_read(task->pid, name, NULL);
	call = text ? strtol(text, NULL, 10) : -1;
	return call == SYS_vfork || call == SYS_clone || call == SYS_clone3;
}

/* Seizes the threads that are not yet; then waits for them all. *found: how many were new. */
static int seize_new_threads(struct task *task, size_t *found)
{
	char path[64];
	size_t first = task->thread_count;
	DIR *dir;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/task", task->pid);
	dir = opendir(path);
	if (!dir)
		return refuse_seize(task->pid, task->pid, errno);
	while ((entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);
		struct thread *thread;

		if (tid <= 0 || (first && have_thread(task, tid)) || (task->leader_exited && tid == task->pid))
			continue;
		if (seize_thread(tid) < 0) {
			if (tid == task->pid && leader_has_exited(tid)) {
				task->leader_exited = true;
				continue;
			}
			if (errno == ESRCH && tid != task->pid)
				continue; /* it ended in between */
			closedir(dir);
			return refuse_seize(task->pid, tid, errno);
		}
		thread = array_push(&task->threads, &task->thread_count, &task->thread_room, sizeof(*thread));
		thread->tid = tid;
	}
	closedir(dir);
	*found = task->thread_count - first;
	for (size_t i = first; i < task->thread_count; i++) {
		struct thread *thread = &task->threads[i];
		int stop_signal = 0;

		if (wait_stopped(thread->tid, &stop_signal, deadline) < 0) {
			if (errno == ESRCH && (thread->tid != task->pid || (task->leader_exited = leader_has_exited(task->pid)))) {
				memmove(thread, thread + 1, (--task->thread_count - i) * sizeof(*thread));
				i--;
				continue;
			}
			if (errno == ETIMEDOUT)
				return err_set(ETIMEDOUT, "pid %d: thread %d did not stop in time (it waits inside the kernel for %s)", task->pid,
					       thread->tid, makes_child(task, thread->tid) ? VFORKED : "a device or a file system?");
			return err_set(ESRCH, "pid %d ended while it was being frozen", task->pid);
		}
		thread->stop = stop_signal ? 'T' : 'R';
		thread->stop_signal = stop_signal;
	}
	return 0;
}

/* The leader first, as the images want it. */
static int order_threads(struct task *task)
{
	for (size_t i = 0; i < task->thread_count; i++)
		if (task->threads[i].tid == task->pid) {
			struct thread leader = task->threads[i];

			memmove(&task->threads[1], &task->threads[0], i * sizeof(leader));
			task->threads[0] = leader;
			return 0;
		}
	if (!task->leader_exited || !task->thread_count)
		return err_set(ESRCH, "pid %d ended while it was being frozen", task->pid);
	task->live = task->threads[0].tid;
	return 0;
}

static int freeze_task(struct task *task)
{
	size_t found;
	char state;

	if (read_stat(task, &state) < 0)
		return err_set(ESRCH, "there is no process with pid %d", task->pid);
	if (check_target(task, state) < 0)
		return -1;
	do {
		if (seize_new_threads(task, &found) < 0)
			return -1;
	} while (found);
	if (order_threads(task) < 0)
		return -1;
	/* Again, now that nothing moves. */
	task->status = proc_read(task->live, "status", NULL);
	task->mem_fd = proc_open(task->live, O_RDWR, "mem");
	if (!task->status || read_stat(task, &state) < 0)
		return err_set(ESRCH, "pid %d ended while it was being frozen", task->pid);
	if (task->mem_fd < 0)
		return err_errno("pid %d: cannot open its memory", task->pid);
	for (size_t i = 0; i < task->thread_count; i++)
		if (regs_read(task, &task->threads[i]) < 0)
			return -1;
	return 0;
}

static void free_task(struct task *task)
{
	for (size_t j = 0; j < task->thread_count; j++) {
		free(task->threads[j].xstate);
		free(task->threads[j].status);
	}
	if (task->mem_fd >= 0)
		close(task->mem_fd);
	free(task->threads);
	free(task->ranges.list);
	for (size_t j = 0; j < task->vma_count; j++)
		free(task->vmas[j].guards);
	free(task->vmas);
	free(task->status);
	free(task->smaps);
	free(task->timers_text);
	free(task->posix_timers);
	free(task);
}

static struct task *add_task(struct tree *tree, pid_t pid, struct task *parent)
{
	struct task **slot = array_push(&tree->tasks, &tree->count, &tree->room, sizeof(*tree->tasks));

	*slot = xzalloc(sizeof(**slot));
	(*slot)->pid = (*slot)->live = pid;
	(*slot)->parent = parent;
	(*slot)->mem_fd = (*slot)->uffd = (*slot)->copy_mem = -1;
	return *slot;
}

static bool have_task(const struct tree *tree, pid_t pid)
{
	for (size_t i = tree->count; i-- > 0;)
		if (tree->tasks[i]->pid == pid)
			return true;
	return false;
}

/* Adds the children of a frozen task. They can only become more by what its other children do (a subreaper). */
static int add_children(struct tree *tree, struct task *task, bool *more)
{
	for (size_t i = 0; i < task->thread_count; i++) {
		char name[64];
		auto_free char *text = NULL;
		char *p, *end;

		snprintf(name, sizeof(name), "task/%d/children", task->threads[i].tid);
		text = proc_read(task->pid, name, NULL);
		if (!text)
			return err_errno("pid %d: cannot read its children", task->pid);
		for (p = text;; p = end) {
			long pid = strtol(p, &end, 10);

			if (p == end)
				break;
			if (have_task(tree, pid))
				continue;
			if (pid == getpid())
				return err_set(EINVAL, "pid %d is an ancestor of this very pcr (pid %d): it cannot be frozen from inside", task->pid,
					       getpid());
			add_task(tree, pid, task);
			*more = true;
		}
	}
	return 0;
}

/* A child that has ended but was not waited for has nothing left but its exit code. */
static int take_zombie(struct task *task, bool *zombie)
{
	char state;

	*zombie = false;
	if (read_stat(task, &state) < 0)
		return err_set(ESRCH, "pid %d ended while the tree was being frozen", task->pid);
	if (state != 'Z')
		return 0;
	if (has_threads(task->pid))
		return 0;
	task->zombie = *zombie = true;
	task->status = proc_read(task->pid, "status", NULL);
	return task->status ? 0 : err_set(ESRCH, "pid %d ended while the tree was being frozen", task->pid);
}

int refuse_stranger(const struct request *request, pid_t pid)
{
	auto_free char *status = request->only_owner ? proc_read(pid, "status", NULL) : NULL;
	const char *uids = status ? status_field(status, "Uid") : NULL, *gids = status ? status_field(status, "Gid") : NULL;
	unsigned int u[3], g[3];

	if (!request->only_owner)
		return 0;
	if (!uids || !gids || sscanf(uids, "%u %u %u", &u[0], &u[1], &u[2]) != 3 || sscanf(gids, "%u %u %u", &g[0], &g[1], &g[2]) != 3)
		return err_set(ESRCH, "pid %d ended while the tree was being frozen", pid);
	for (int i = 0; i < 3; i++)
		if (u[i] != request->owner_uid || g[i] != request->owner_gid)
			return err_set(EPERM, "pid %d belongs to uid %u, gid %u: uid %u, gid %u may not dump it", pid, u[i], g[i], request->owner_uid,
				       request->owner_gid);
	return 0;
}

/* A child that ended while it was being frozen is one that ended a moment before. Returns 0, or -1 with the error still set. */
static int has_ended(struct task *task)
{
	bool zombie = false;
	char state;

	/* EPERM: ptrace(2) of one on its way out. */
	if (err_code() != ESRCH && err_code() != EPERM)
		return -1;
	for (size_t i = 0; i < task->thread_count; i++)
		release_thread(task->threads[i].tid);
	task->thread_count = 0;
	task->leader_exited = false;
	task->live = task->pid;
	free(task->status);
	task->status = NULL;
	if (read_stat(task, &state) < 0) {
		task->gone = true;
	} else if (state != 'Z' || take_zombie(task, &zombie) < 0 || !zombie) {
		return -1;
	}
	err_clear();
	return 0;
}

static void remove_task(struct tree *tree, size_t index)
{
	free_task(tree->tasks[index]);
	memmove(&tree->tasks[index], &tree->tasks[index + 1], (--tree->count - index) * sizeof(*tree->tasks));
}

int freeze_tree(struct tree *tree, const struct request *request)
{
	struct task *root = add_task(tree, request->pid, NULL);
	size_t frozen = 0;
	bool more;

	if (request->pid == getpid())
		return err_set(EINVAL, "pid %d is pcr itself", request->pid);
	deadline = now_us() + (request->timeout ? request->timeout : DEFAULT_TIMEOUT) * 1000000ULL;
	do {
		more = false;
		for (; frozen < tree->count; frozen++) {
			struct task *task = tree->tasks[frozen];
			bool zombie = false;

			if ((task != root && take_zombie(task, &zombie) < 0) ||
			    (!zombie && (refuse_stranger(request, task->pid) < 0 || freeze_task(task) < 0))) {
				if (task == root || has_ended(task) < 0)
					goto fail;
				if (task->gone) {
					remove_task(tree, frozen--);
					continue;
				}
			}
			if (task->pid == request->target && task->start_time != request->target_start) {
				err_set(ESRCH, "pid %d ended after the request came, and another process has its pid now: ask again for that one",
					task->pid);
				goto fail;
			}
		}
		for (size_t i = 0; i < tree->count; i++)
			if (!tree->tasks[i]->zombie && add_children(tree, tree->tasks[i], &more) < 0)
				goto fail;
	} while (more);
	root->ppid = 0;
	pr_info("frozen: %zu processes", tree->count);
	return 0;
fail:
	thaw_tree(tree);
	return -1;
}

void thaw_tree(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		for (size_t j = 0; j < tree->tasks[i]->thread_count; j++)
			release_thread(tree->tasks[i]->threads[j].tid);
}

/* Until the thread is gone, or a zombie that only its parent may take away. */
static void wait_end(pid_t tid)
{
	int status;

	while (wait_thread(tid, &status) == 0 || errno == EINTR)
		;
}

/* Where a killed process has much memory the kernel frees it on one processor; this does it on another at the same time. */
static void help_to_free(const struct task *task)
{
	const char *present = task->status ? status_field(task->status, "RssAnon") : NULL;
	auto_fd pidfd = -1;

	if (!present || strtoull(present, NULL, 10) < FREE_FROM_KIB)
		return;
	pidfd = task_pidfd(task);
	if (pidfd >= 0)
		syscall(SYS_process_mrelease, pidfd, 0);
}

void kill_tree(struct tree *tree)
{
	/* Children first: nobody may see a child of its end before it ends itself. */
	for (size_t i = tree->count; i-- > 0;)
		kill(tree->tasks[i]->pid, SIGKILL);
	for (size_t i = tree->count; i-- > 0;)
		help_to_free(tree->tasks[i]);
	for (size_t i = tree->count; i-- > 0;) {
		struct task *task = tree->tasks[i];

		/* As the tracer we see each thread end; the leader comes last. */
		for (size_t j = task->thread_count; j-- > 0;)
			wait_end(task->threads[j].tid);
		/* Where it ended while we traced it. */
		if (task->leader_exited)
			wait_end(task->pid);
	}
}

void free_tree(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free_task(tree->tasks[i]);
	free(tree->tasks);
	memset(tree, 0, sizeof(*tree));
}
