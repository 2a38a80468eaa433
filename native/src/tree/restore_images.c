/* SPDX-License-Identifier: MIT
 *
 * Reads the tree from the images (pstree, core, ids, mm, fs) and makes sure that it can be built before anything is started: pids,
 * parents, sessions, groups.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/pstree.pb-c.h"
#include "resource/cgroup.h"
#include "resource/clocks.h"
#include "resource/creds.h"
#include "resource/cpu.h"
#include "resource/mm.h"
#include "resource/rlimit.h"
#include "resource/sched.h"
#include "resource/seccomp.h"
#include "resource/signal.h"
#include "resource/timer.h"
#include "resource/vma.h"
#include "tree/restore_tree.h"

#define TASKS_MAX 32768

/* Pids and tids, sorted, to find doubles. */
static pid_t *all_tids;
static size_t tid_count, tid_room;

static long max_pid(void)
{
	auto_file *f = fopen("/proc/sys/kernel/pid_max", "re");
	long max = 4194304; /* proc_sys_kernel(5): the most there can be */

	if (f && fscanf(f, "%ld", &max) != 1)
		max = 4194304;
	return max;
}

static int check_pid(uint32_t pid, const char *what, uint32_t of)
{
	static long max;

	if (!max)
		max = max_pid();
	if (pid == 0 || pid >= (unsigned long)max)
		return err_set(EINVAL, "pstree.img: %s %u of pid %u is not a pid on this machine (pid_max is %ld)", what, pid, of, max);
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

struct restore_task *restore_find_task(struct restore *restore, pid_t pid)
{
	for (size_t i = 0; i < restore->task_count; i++)
		if (restore->tasks[i].pid == pid)
			return &restore->tasks[i];
	return NULL;
}

struct restore_task *restore_common_ancestor(struct restore_task *a, struct restore_task *b)
{
	if (!a)
		return b;
	while (b && a != b) {
		if (a->depth >= b->depth)
			a = a->parent;
		else
			b = b->parent;
	}
	return a;
}

/* --- pstree.img --- */

static int add_task(struct restore *restore, PstreeEntry *e, PstreeEntry **raw)
{
	struct restore_task *task = &restore->tasks[restore->task_count];
	bool leader = e->n_threads == 1;

	if (check_pid(e->pid, "the pid", e->pid) < 0)
		return -1;
	/* 0: outside of what was dumped */
	if (e->pgid && check_pid(e->pgid, "the process group", e->pid) < 0)
		return -1;
	if (e->sid && check_pid(e->sid, "the session", e->pid) < 0)
		return -1;
	if (e->n_threads == 0)
		return err_set(EINVAL, "pstree.img: pid %u has no threads", e->pid);
	task->pid = e->pid;
	task->pgid = e->pgid;
	task->sid = e->sid;
	task->thread_count = e->n_threads;
	task->threads = xzalloc(e->n_threads * sizeof(*task->threads));
	/* A real CRIU 4.1 writes no sensible thread for a zombie; the only one of a task is the task. */
	if (e->n_threads == 1)
		e->threads[0] = e->pid;
	for (size_t i = 0; i < e->n_threads; i++) {
		if (check_pid(e->threads[i], "the thread", e->pid) < 0)
			return -1;
		task->threads[i].tid = e->threads[i];
		*(pid_t *)array_push(&all_tids, &tid_count, &tid_room, sizeof(*all_tids)) = e->threads[i];
		if (e->threads[i] == e->pid) {
			task->threads[i].tid = task->threads[0].tid;
			task->threads[0].tid = e->pid;
			leader = true;
		}
	}
	if (!leader)
		return err_set(EINVAL, "pstree.img: pid %u is not among its own threads", e->pid);
	raw[restore->task_count++] = e;
	return 0;
}

/* Parents before children, whatever the order in the file. Quadratic in the worst case, linear for what dumps write. */
static int link_parents(struct restore *restore, PstreeEntry **raw)
{
	for (size_t i = 1; i < restore->task_count; i++) {
		struct restore_task *task = &restore->tasks[i];
		struct restore_task *parent = restore_find_task(restore, raw[i]->ppid);

		if (!parent || parent >= task)
			return err_set(EINVAL, "pstree.img: the parent %u of pid %d is not in front of it", raw[i]->ppid, task->pid);
		task->parent = task->maker = parent;
		task->depth = parent->depth + 1;
		*(size_t *)array_push(&parent->children, &parent->child_count, &parent->child_room, sizeof(size_t)) = i;
	}
	return 0;
}

static int read_pstree(struct restore *restore)
{
	auto_img *img = img_open(restore->dirfd, IMG_PSTREE, 0, false);
	PstreeEntry **raw = NULL;
	size_t count = 0, room = 0;
	PstreeEntry *e;
	int got = 0, result = -1;

	if (!img)
		return -1;
	while ((got = img_read(img, &pstree_entry__descriptor, &e)) > 0) {
		*(PstreeEntry **)array_push(&raw, &count, &room, sizeof(*raw)) = e;
		if (count > TASKS_MAX) {
			err_set(EINVAL, "pstree.img has more than %d processes", TASKS_MAX);
			goto out;
		}
	}
	if (got < 0)
		goto out;
	if (count == 0) {
		err_set(EINVAL, "pstree.img has no process");
		goto out;
	}
	/* Pointers to tasks are kept, so the array has room for all helpers from the start: for each task's session and group. */
	restore->tasks = xzalloc(3 * count * sizeof(*restore->tasks));
	for (size_t i = 0; i < count; i++)
		if (add_task(restore, raw[i], raw) < 0)
			goto out;
	qsort(all_tids, tid_count, sizeof(*all_tids), compare_pids);
	for (size_t i = 1; i < tid_count; i++) {
		if (all_tids[i] == all_tids[i - 1]) {
			err_set(EINVAL, "pstree.img has the pid or tid %d twice", all_tids[i]);
			goto out;
		}
	}
	result = link_parents(restore, raw);
out:
	for (size_t i = 0; i < count; i++)
		pstree_entry__free_unpacked(raw[i], NULL);
	free(raw);
	free(all_tids);
	all_tids = NULL;
	tid_count = tid_room = 0;
	return result;
}

/* --- what belongs to one task --- */

static int read_one(struct restore *restore, enum img_kind kind, unsigned long id, const ProtobufCMessageDescriptor *type, void *message)
{
	auto_img *img = img_open(restore->dirfd, kind, id, false);

	return img ? img_read_one(img, type, message) : -1;
}

static int check_core(struct restore_task *task, struct restore_thread *thread)
{
	const CoreEntry *core = thread->core;

	if (core->mtype != CORE_ENTRY__MARCH__X86_64)
		return err_set(ENOTSUP, "core-%d.img is of another processor architecture (%d)", thread->tid, core->mtype);
	if (!core->thread_info || !core->thread_core)
		return err_set(EINVAL, "core-%d.img lacks the thread's state", thread->tid);
	if (cpu_check(task->pid, thread->tid, core->thread_info) < 0)
		return -1;
	if (thread_signals_check(task->pid, thread->tid, core->thread_core) < 0)
		return -1;
	if (creds_check(task->pid, thread->tid, core->thread_core->creds) < 0)
		return -1;
	return sched_check(task->pid, thread->tid, core->thread_core);
}

/* Namespaces are not rebuilt: the task must have lived in those of the whole dump. */
static int check_ids(struct restore *restore, struct restore_task *task)
{
	const TaskKobjIdsEntry *ids = task->ids, *root = restore->inventory->root_ids;
#define CHECK(field, name)                                                                                                              \
	if (root && ids->has_##field && root->has_##field && ids->field != root->field)                                                  \
	return err_set(ENOTSUP, "pid %d lives in a %s namespace of its own, which cannot be restored yet", task->pid, name)

	CHECK(pid_ns_id, "pid");
	CHECK(net_ns_id, "network");
	CHECK(ipc_ns_id, "IPC");
	CHECK(uts_ns_id, "UTS");
	CHECK(mnt_ns_id, "mount");
	CHECK(user_ns_id, "user");
	CHECK(cgroup_ns_id, "cgroup");
#undef CHECK
	if (task->parent && task->parent->ids && ids->time_ns_id != task->parent->ids->time_ns_id)
		return err_set(ENOTSUP, "pid %d lives in a time namespace other than its parent's, which cannot be restored", task->pid);
	for (struct restore_task *other = restore->tasks; other < task; other++) {
		if (!other->ids)
			continue;
		if (other->ids->vm_id == ids->vm_id)
			return err_set(ENOTSUP, "pids %d and %d share their memory (CLONE_VM, vfork), which cannot be restored yet", other->pid, task->pid);
		if (other->ids->files_id == ids->files_id && (!task->parent->ids || task->parent->ids->files_id != ids->files_id))
			return err_set(ENOTSUP, "pids %d and %d share their descriptor table (CLONE_FILES) without being parent and child; that cannot be "
				       "restored yet", other->pid, task->pid);
		if (other->ids->fs_id == ids->fs_id && (!task->parent->ids || task->parent->ids->fs_id != ids->fs_id))
			return err_set(ENOTSUP, "pids %d and %d share root and working directory (CLONE_FS) without being parent and child; that cannot "
				       "be restored yet", other->pid, task->pid);
		if (other->ids->sighand_id == ids->sighand_id)
			return err_set(ENOTSUP, "pids %d and %d share their signal handlers (CLONE_SIGHAND), which cannot be restored yet",
				       other->pid, task->pid);
	}
	task->files_owner = task->parent && task->parent->ids->files_id == ids->files_id ? task->parent->files_owner : task;
	task->shares_fs = task->parent && task->parent->ids->fs_id == ids->fs_id;
	return 0;
}

static int read_task(struct restore *restore, struct restore_task *task)
{
	TaskCoreEntry *tc;
	int state;

	for (size_t i = 0; i < task->thread_count; i++)
		if (read_one(restore, IMG_CORE, task->threads[i].tid, &core_entry__descriptor, &task->threads[i].core) < 0)
			return err_context("pid %d", task->pid);
	tc = task->threads[0].core->tc;
	if (!tc)
		return err_set(EINVAL, "core-%d.img lacks the process's state", task->pid);
	state = tc->task_state;
	task->zombie = state == TASK_STATE_ZOMBIE;
	task->stopped = state == TASK_STATE_STOPPED;
	if (task->zombie) {
		if (!task->parent)
			return err_set(ENOTSUP, "pid %d, the root of the tree, is a zombie: there is nothing to restore", task->pid);
		if (task->child_count || task->thread_count != 1)
			return err_set(EINVAL, "pid %d is a zombie with children or threads", task->pid);
		return 0;
	}
	if (state != TASK_STATE_ALIVE && !task->stopped)
		return err_set(ENOTSUP, "pid %d is in state %d, which cannot be restored", task->pid, state);
	for (size_t i = 0; i < task->thread_count; i++)
		if (check_core(task, &task->threads[i]) < 0)
			return -1;
	if (task_signals_check(task->pid, tc) < 0 || rlimits_check(task->pid, tc) < 0 || timers_check(task->pid, tc) < 0)
		return -1;
	if (task->threads[0].core->ids)
		task->ids = task->threads[0].core->ids;
	else if (read_one(restore, IMG_IDS, task->pid, &task_kobj_ids_entry__descriptor, &task->ids) < 0)
		return err_context("pid %d", task->pid);
	if (check_ids(restore, task) < 0)
		return -1;
	if (read_one(restore, IMG_FS, task->pid, &fs_entry__descriptor, &task->fs) < 0)
		return err_context("pid %d", task->pid);
	if (read_one(restore, IMG_MM, task->pid, &mm_entry__descriptor, &task->mm) < 0)
		return err_context("pid %d", task->pid);
	return 0;
}

int restore_read_tree(struct restore *restore)
{
	if (read_one(restore, IMG_INVENTORY, 0, &inventory_entry__descriptor, &restore->inventory) < 0)
		return err_context("not a whole dump");
	if (restore->inventory->img_version < 1 || restore->inventory->img_version > 2)
		return err_set(ENOTSUP, "inventory.img: images of version %u are not known", restore->inventory->img_version);
	if (!restore->inventory->has_fdinfo_per_id || !restore->inventory->fdinfo_per_id)
		return err_set(ENOTSUP, "inventory.img: images from before 2013, without fdinfo per id, are not supported");
	if (read_pstree(restore) < 0)
		return -1;
	/* Zombies need their session and group, too, so all states are known before. */
	for (size_t i = 0; i < restore->task_count; i++)
		if (read_task(restore, &restore->tasks[i]) < 0)
			return -1;
	if (clocks_read(restore) < 0 || seccomp_read(restore) < 0 || cgroup_read(restore) < 0)
		return -1;
	return restore_plan_sessions(restore);
}
