/* SPDX-License-Identifier: MIT
 *
 * The tree to restore, as read from the images: what the parts of a restore share. The coordinator (tree/restore.c) fills it in and
 * checks it before anything is started; tasks are forked from it and find it in their memory.
 */
#ifndef PCR_TREE_RESTORE_TREE_H
#define PCR_TREE_RESTORE_TREE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/request.h"
#include "images/core.pb-c.h"
#include "images/fdinfo.pb-c.h"
#include "images/fs.pb-c.h"
#include "images/inventory.pb-c.h"
#include "images/mm.pb-c.h"
#include "images/seccomp.pb-c.h"
#include "images/timens.pb-c.h"
#include "resource/fd_kind.h"
#include "resource/shmem.h"
#include "restorer/restorer.h"

/* task_core_entry.task_state */
#define TASK_STATE_ALIVE 1
#define TASK_STATE_ZOMBIE 2
#define TASK_STATE_STOPPED 3

struct page_runs;
struct restore_file;

struct restore_thread {
	pid_t tid;
	CoreEntry *core;
};

/* One vma of the images and where it is mapped until the restorer moves it. */
struct restore_vma {
	VmaEntry *entry;
	struct restore_file *file; /* NULL for none */
	struct restore_shmem *shmem; /* NULL for none */
	bool has_pages; /* in the pages image */
	bool lazy; /* the lazy-pages daemon fills it in (resource/vma_lazy.h) */
	uint64_t at; /* start now; entry->start when it could be mapped in its place; 0: not mapped yet */
	struct restore_vma *from; /* its maker's, whose pages it may share; NULL for none (resource/vma_inherit.h) */
	bool wanted; /* it is some other's `from` */
	bool loaded; /* has its contents */
};

struct restore_task {
	pid_t pid, pgid, sid;
	struct restore_task *parent; /* NULL for the root */
	struct restore_task *maker; /* who clones it: its parent, or somebody in whose session it must be born */
	bool adopted; /* an orphan: its maker's child dies after having cloned it, and its parent gets it */
	bool adopts; /* the parent of such a one */
	size_t depth;
	size_t *children, child_count, child_room; /* indices of restore.tasks */
	bool zombie, stopped;
	/* Not in the images: leads a session or group whose leader has ended, until all have joined it. */
	bool helper;
	struct restore_task *files_owner; /* whose descriptor table it shares (CLONE_FILES); itself when it shares none */
	bool shares_fs; /* with its maker (CLONE_FS) */
	/* Session that it must be born in; 0 when any will do. -1: the one that pcr runs in. */
	pid_t born_sid;

	struct restore_thread *threads; /* [0] is the leader; none for a zombie but its core */
	size_t thread_count;
	TaskKobjIdsEntry *ids;
	MmEntry *mm;
	FsEntry *fs;
	FdinfoEntry **fds; /* ascending numbers */
	size_t fd_count, fd_room;
	struct restore_file **fd_files; /* fd_files[i] is the open file of fds[i] */
	struct restore_vma *vmas; /* without those of the kernel: vdso, vvar, vsyscall */
	size_t vma_count;
	uint64_t vvar_start, vvar_end, vdso_start, vdso_end; /* 0: it had none */
	struct restore_vma *old_vdso; /* of another kernel, in vmas like any memory; NULL for none (resource/vdso_proxy.h) */
	struct page_runs *pages; /* without those that are left to the lazy-pages daemon */
	size_t lazy_count; /* of vmas */
	int uffd_slot; /* where its userfaultfd is until the blob closes it; 0: none */
	struct restore_file *exe, *cwd, *root; /* root: NULL when it is pcr's own */
};

/* Open file of the images: opened once, in the nearest common ancestor of all tasks that use it. */
struct restore_file {
	uint32_t id;
	FileEntry *entry;
	const struct fd_kind *kind;
	struct restore_file *next_variant; /* the same file opened with other flags, for mappings */
	struct restore_file *group; /* opened in one task together with this one; itself when alone */
	struct restore_task *owner; /* who opens it; NULL: nobody uses it */
	int slot; /* descriptor number that it has in all tasks until they put it in place */
	uint32_t own_fd; /* number that it has in its owner, and nothing has in any other task; 0: none */
	bool is_fd; /* some fdinfo names it */
	bool needed; /* by another file of its group */
	bool opened; /* in its slot before any task was started */
};

struct restore {
	const struct request *request;
	int dirfd; /* the images directory, at a descriptor number that no task needs */
	InventoryEntry *inventory;
	TimensEntry *clocks; /* NULL: leave them as they are here */
	SeccompEntry *seccomp; /* NULL when no thread has filters */
	bool has_seccomp; /* some thread runs under seccomp */

	struct restore_task *tasks; /* parents before children, helpers last; [0] is the root */
	size_t task_count, helper_count;
	struct restore_file **files; /* by id, ascending */
	size_t file_count, file_room;
	size_t late_count; /* files that need all tasks to exist before they are opened */
	struct restore_shmem *shmems;
	size_t shmem_count, shmem_room;

	bool *fd_taken; /* descriptor numbers that some task needs or pcr has open */
	size_t fd_taken_size;

	struct restorer_shared *shared;
	struct restore_slot {
		uint64_t region, region_size; /* where the task's restorer is */
		uint32_t born;
		uint32_t files_ready; /* futex: sharers of its descriptor table that need no more of it */
	} *slots; /* shared memory, by task index */
	bool lazy; /* --lazy-pages, and the kernel allows it */
	int lazy_slot; /* connection to the lazy-pages daemon, at a descriptor number that no task needs; 0: none (lazy/handover.h) */
	int log_slot; /* pcr's log, at a descriptor number that no task needs */

	pid_t coordinator; /* pcr itself */
	bool root_is_sibling; /* the root is a child of the coordinator's parent */
	pid_t root_outside; /* its pid as whoever asked sees it */
	uint64_t start_us, forked_us;
};

/* tree/restore.c: the parts of a restore, in their order. Each returns 0 or -1 with the error set. */
/* What the coordinator changes about itself while it works. */
struct restore_self {
	sigset_t mask;
	struct sigaction sigchld;
	unsigned long nofile;
	int subreaper;
};
/* Opens what has to be open before any task is there. */
int restore_prepare(struct restore *restore, struct restore_self *self);
/* Starts the root task, with these flags of clone3(2). */
int restore_start_root(struct restore *restore, uint64_t flags);
/* Traces the root and leads the tree through its stages until it runs; kills it when something fails. */
int restore_lead(struct restore *restore);
/* Undoes restore_prepare(), whatever became of the tree. */
void restore_clean_up(struct restore *restore, const struct restore_self *self, bool restored);

/* tree/restore_pidns.c: restores in a new user and pid namespace. restore->root_outside is the root then, our child or our parent's.
 * Returns 0 or -1 with the error set. */
int restore_in_pidns(struct restore *restore);

/* tree/restore_images.c: reads pstree, cores and what hangs on them; checks that the tree can be built. Returns 0 or -1. */
int restore_read_tree(struct restore *restore);

/* tree/restore_sessions.c: plans how sessions and groups come about; adds helpers. After the states of all tasks are known. Returns 0
 * or -1 with the error set. */
int restore_plan_sessions(struct restore *restore);
struct restore_task *restore_find_task(struct restore *restore, pid_t pid);

/* tree/restore_files.c. Reads files.img and every fdinfo, finds who opens what, checks the files on disk. Returns 0 or -1 with the error set. */
int restore_read_files(struct restore *restore);
/* The file with this id opened with other flags than files.img says (a mapping's); flags -1: as there. NULL with the error set
 * when there is none. Notes that task uses it. */
struct restore_file *restore_use_file(struct restore *restore, struct restore_task *task, uint32_t id, long flags);
/* For kinds: both entries are opened in the same task, one after the other (two ends of a pipe). */
void restore_group_files(struct restore *restore, uint32_t id, uint32_t with);
/* For kinds: the file id is opened in the task that opens `with`, whether any task has a descriptor of it or not. Returns 0 or -1 with
 * the error set. */
int restore_need_file(struct restore *restore, uint32_t id, uint32_t with);
/* The entry's file; NULL when there is none. */
struct restore_file *restore_find_file(struct restore *restore, uint32_t id);
/* Gives every file its number, and back in the coordinator. Returns 0 or -1 with the error set. */
int restore_assign_slots(struct restore *restore);
void restore_close_slots(struct restore *restore);
/* A descriptor number that no task needs, not below 3. */
int restore_free_slot(struct restore *restore);
/* Opens the file into its slot, here and now. Returns 0 or -1 with the error set. */
int restore_open_file(struct restore *restore, struct restore_file *file);
/* In the task: opens what it is to open for itself and its descendants. Returns 0 or -1 with the error set. */
int restore_open_files(struct restore *restore, struct restore_task *task);
/* In the task, when all tasks exist: opens what had to wait for that, and gets from others what they opened so. Returns 0 or -1 with the
 * error set. */
int restore_open_late_files(struct restore *restore, struct restore_task *task);
/* In the task, when all pids exist: the kinds finish the files that it opened. Returns 0 or -1 with the error set. */
int restore_finish_files(struct restore *restore, struct restore_task *task);
/* In the task: every descriptor into its place, all others closed but the log and the executables of those who share the table, which
 * the blob closes. Returns 0 or -1 with the error set. */
int restore_place_files(struct restore *restore, struct restore_task *task);

/* tree/restore_task.c: everything a task does, from birth into the blob. Does not return. */
void restore_task_main(struct restore *restore, struct restore_task *task) __attribute__((noreturn));
/* Creates the task with its pid. Waits a little for a pid that is taken. Returns as fork(2) does, -1 with the error set. flags: of clone3(2). */
pid_t restore_clone(struct restore *restore, struct restore_task *task, uint64_t flags);

/* tree/restore_blob.c: builds region and arguments in the task and jumps in. Returns only on failure, -1 with the error set. */
int restore_enter_blob(struct restore *restore, struct restore_task *task);

/* The nearest common ancestor; one of them may be NULL. */
struct restore_task *restore_common_ancestor(struct restore_task *a, struct restore_task *b);

/* Index of the task in restore->tasks. */
static inline size_t restore_index(const struct restore *restore, const struct restore_task *task)
{
	return task - restore->tasks;
}

#endif
