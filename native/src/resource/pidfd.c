/* SPDX-License-Identifier: MIT
 *
 * Process descriptors, pidfd_open(2), of processes of the tree and of ended ones, whom none is left to tell apart but that they have ended.
 */
#include "resource/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/procfs.h"
#include "resource/regfile.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

/* --- dump --- */

static bool pidfd_recognise(const struct fd_info *info)
{
	return !strcmp(info->link, "anon_inode:[pidfd]");
}

static bool in_tree(const struct dump *dump, pid_t pid)
{
	for (size_t i = 0; i < dump->tree.count; i++)
		if (dump->tree.tasks[i]->pid == pid)
			return true;
	return false;
}

static int pidfd_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	const char *pid = status_field(info->fdinfo, "Pid");
	PidfdEntry *e = xzalloc(sizeof(*e));

	pidfd_entry__init(e);
	entry->pidfd = e;
	e->id = entry->id;
	e->ino = info->st.st_ino;
	e->flags = info->flags & ~O_ACCMODE;
	e->nspid = pid ? atoi(pid) : 0;
	e->fown = fown_dump(info->dup);
	if (e->nspid > 0 && !in_tree(dump, e->nspid))
		return err_set(ENOTSUP, "pid %d: descriptor %d is a pidfd of pid %d, which is no process of the tree (or a thread that is not its "
			       "process's first); a pidfd can only be restored together with its process", info->task->pid, info->fd, e->nspid);
	if (!e->nspid)
		return err_set(ENOTSUP, "pid %d: descriptor %d is a pidfd of a process in another pid namespace", info->task->pid, info->fd);
	return 0;
}

/* --- restore --- */

static int pidfd_collect(struct restore *restore, FileEntry *entry)
{
	const PidfdEntry *e = entry->pidfd;

	if (!e)
		return err_set(EINVAL, "files.img: id %u has no pidfd_entry", entry->id);
	if (e->flags & ~(O_NONBLOCK | PIDFD_THREAD))
		return err_set(EINVAL, "files.img: id %u is a pidfd with flags 0%o", entry->id, e->flags);
	if (e->nspid == -1)
		return 0;
	if (e->nspid <= 0 || !restore_find_task(restore, e->nspid))
		return err_set(EINVAL, "files.img: id %u is a pidfd of pid %d, which the images do not have", entry->id, e->nspid);
	return 0;
}

static bool pidfd_late(const struct restore *restore, const FileEntry *entry)
{
	return entry->pidfd && entry->pidfd->nspid > 0;
}

static int open_child(void *arg)
{
	const pid_t *pid_flags = arg;

	return pidfd_open(pid_flags[0], pid_flags[1]);
}

/* A child with any pid that ends at once. */
static int open_ended(unsigned int flags)
{
	pid_t pid_flags[2] = { 0, flags };

	return procfs_with_child(&pid_flags[0], open_child, pid_flags);
}

static int pidfd_open_entry(struct restore *restore, FileEntry *entry)
{
	const PidfdEntry *e = entry->pidfd;
	int fd = e->nspid > 0 ? pidfd_open(e->nspid, e->flags) : open_ended(e->flags);

	if (fd < 0 && e->nspid > 0)
		return err_errno("cannot open a pidfd of pid %d", e->nspid);
	return fd < 0 ? err_errno("cannot open a pidfd of an ended process") : fd;
}

static int pidfd_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->pidfd->fown, fd);
}

const struct fd_kind pidfd_kind = {
	.type = FD_TYPES__PIDFD,
	.name = "pidfd",
	.recognise = pidfd_recognise,
	.dump = pidfd_dump,
	.collect = pidfd_collect,
	.late = pidfd_late,
	.open = pidfd_open_entry,
	.settle = pidfd_settle,
};
