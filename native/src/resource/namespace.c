/* SPDX-License-Identifier: MIT */
#include "resource/namespace.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <search.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "tree/dump.h"

/* --- dump --- */

void namespace_ids_of_self(TaskKobjIdsEntry *ids)
{
	uint32_t id = 1;

	task_kobj_ids_entry__init(ids);
	ids->vm_id = ids->files_id = ids->fs_id = ids->sighand_id = id;
	ids->has_pid_ns_id = ids->has_net_ns_id = ids->has_ipc_ns_id = ids->has_uts_ns_id = true;
	ids->has_mnt_ns_id = ids->has_user_ns_id = ids->has_cgroup_ns_id = ids->has_time_ns_id = true;
	ids->pid_ns_id = id++;
	ids->net_ns_id = id++;
	ids->ipc_ns_id = id++;
	ids->uts_ns_id = id++;
	ids->time_ns_id = id++;
	ids->mnt_ns_id = id++;
	ids->user_ns_id = id++;
	ids->cgroup_ns_id = id++;
}

int namespace_check(const struct task *task)
{
	static const char *const names[][2] = {
		{ "pid", "PID" }, { "net", "network" }, { "ipc", "IPC" },	{ "uts", "UTS" },
		{ "mnt", "mount" }, { "user", "user" }, { "cgroup", "cgroup" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char link[32], theirs[64], ours[64];

		snprintf(link, sizeof(link), "ns/%s", names[i][0]);
		if (proc_readlink(getpid(), link, ours, sizeof(ours)) < 0)
			continue; /* the kernel was built without it */
		if (proc_readlink(task->live, link, theirs, sizeof(theirs)) < 0)
			return err_errno("pid %d: cannot see its %s namespace", task->pid, names[i][1]);
		if (strcmp(ours, theirs))
			return err_set(ENOTSUP, "pid %d lives in a %s namespace of its own (%s), which cannot be dumped", task->pid,
				       names[i][1], theirs);
	}
	return 0;
}

struct table {
	pid_t pid;
	uint32_t id;
};

static const int kinds[] = { KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND };
static void *tables[ARRAY_LEN(kinds)]; /* tsearch trees */
static int comparing;
static bool compare_failed;

static int compare(const void *x, const void *y)
{
	const struct table *a = x, *b = y;
	long order = syscall(SYS_kcmp, a->pid, b->pid, comparing, 0, 0);

	if (order < 0)
		compare_failed = true;
	return order == 1 ? -1 : order == 0 ? 0 : 1;
}

/* unshare(2) in a thread. The images know one descriptor table and one root and working directory for a process. */
static int check_threads(const struct task *task)
{
	static const struct {
		int type;
		const char *what;
	} shared[] = { { KCMP_FILES, "descriptor table" }, { KCMP_FS, "root and working directory" } };

	for (size_t i = 1; i < task->thread_count; i++)
		for (size_t j = 0; j < ARRAY_LEN(shared); j++)
			if (syscall(SYS_kcmp, task->live, task->threads[i].tid, shared[j].type, 0, 0) > 0)
				return err_set(ENOTSUP, "thread %d has a %s of its own (unshare), which cannot be dumped", task->threads[i].tid,
					       shared[j].what);
	return 0;
}

/* No interface shows what semop(2) would undo at a process's end. A process without a list of undos, as pcr is one, has none; threads
 * make such a list as well. */
static void warn_semaphores(const struct task *task)
{
	auto_file *sets = fopen("/proc/sysvipc/sem", "re");
	char line[256];

	if (syscall(SYS_kcmp, getpid(), task->live, KCMP_SYSVSEM, 0, 0) <= 0 || !sets || !fgets(line, sizeof(line), sets) ||
	    !fgets(line, sizeof(line), sets))
		return;
	pr_warn("pid %d: there are System V semaphores on this machine; if it has operations on them to be undone at its end (SEM_UNDO), "
		"a restore will not undo them",
		task->pid);
}

int shared_tables_collect(struct task *task)
{
	uint32_t *const ids[] = { &task->vm_id, &task->files_id, &task->fs_id, &task->sighand_id };
	static const char *const what[] = { "memory (CLONE_VM)", NULL, "root and working directory (CLONE_FS)", "signal handlers (CLONE_SIGHAND)" };

	warn_semaphores(task);
	if (check_threads(task) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct table *t = xzalloc(sizeof(*t)), **found;

		t->pid = task->live;
		comparing = kinds[i];
		compare_failed = false;
		found = tsearch(t, &tables[i], compare);
		if (*found == t) {
			/* One above the ids of pcr's own tables. */
			t->id = next_id() + 1;
		} else if (what[i]) {
			pid_t other = (*found)->pid;

			free(t);
			return err_set(ENOTSUP, "pid %d shares its %s with pid %d; only threads of one process can", task->pid, what[i], other);
		} else {
			free(t);
		}
		if (compare_failed)
			return err_set(errno, "pid %d: kcmp(2) is refused, so that shared tables cannot be told apart; in a container allow it "
				       "(Docker: --cap-add SYS_PTRACE)", task->pid);
		*ids[i] = (*found)->id;
	}
	return 0;
}

void shared_tables_end(void)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		tdestroy(tables[i], free);
		tables[i] = NULL;
	}
}

int ids_dump(struct dump *dump, struct task *task)
{
	TaskKobjIdsEntry ids = dump->namespaces;
	auto_img *img = img_create(dump->dirfd, IMG_IDS, task->pid);

	ids.time_ns_id = dump->time_ns_id;
	ids.vm_id = task->vm_id;
	ids.files_id = task->files_id;
	ids.fs_id = task->fs_id;
	ids.sighand_id = task->sighand_id;
	return img ? img_write(img, &ids.base) : -1;
}
