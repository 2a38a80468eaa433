/* SPDX-License-Identifier: MIT
 *
 * fanotify(7): groups with their marks on files and mounts. Events that nobody has read yet cannot be put back.
 */
#include "resource/fanotify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/fanotify.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/fsnotify.h"
#include "resource/regfile.h"
#include "tree/restore_tree.h"
#include "tree/task.h"

/* --- dump --- */

static bool fanotify_recognise(const struct fd_info *info)
{
	return !strcmp(info->link, "anon_inode:[fanotify]");
}

static int dump_mark(pid_t pid, const char *what, const char *line, FanotifyFileEntry *e, size_t *room)
{
	FanotifyMarkEntry *m = xzalloc(sizeof(*m));
	unsigned int mflags, mask, ignored, dev, mnt_id;
	unsigned long long inode;

	fanotify_mark_entry__init(m);
	*(FanotifyMarkEntry **)array_push(&e->mark, &e->n_mark, room, sizeof(m)) = m;
	if (sscanf(line, "fanotify ino:%llx sdev:%x mflags:%x mask:%x ignored_mask:%x", &inode, &dev, &mflags, &mask, &ignored) == 5) {
		m->type = MARK_TYPE__INODE;
		m->s_dev = dev;
		m->ie = xzalloc(sizeof(*m->ie));
		fanotify_inode_mark_entry__init(m->ie);
		m->ie->i_ino = inode;
		m->ie->f_handle = fsnotify_dump_handle(pid, what, line, dev, inode);
		if (!m->ie->f_handle)
			return -1;
	} else if (sscanf(line, "fanotify mnt_id:%x mflags:%x mask:%x ignored_mask:%x", &mnt_id, &mflags, &mask, &ignored) == 4) {
		m->type = MARK_TYPE__MOUNT;
		m->me = xzalloc(sizeof(*m->me));
		fanotify_mount_mark_entry__init(m->me);
		m->me->mnt_id = mnt_id;
		m->me->path = fsnotify_mount_path(what, mnt_id);
		if (!m->me->path)
			return -1;
	} else {
		return err_set(ENOTSUP, "%s is a fanotify group with a mark that cannot be dumped: %.80s", what, line);
	}
	m->mflags = mflags;
	m->mask = mask;
	m->ignored_mask = ignored;
	return 0;
}

static int fanotify_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	const char *line = strstr(info->fdinfo, "\nfanotify flags:");
	FanotifyFileEntry *e = xzalloc(sizeof(*e));
	unsigned int faflags, evflags;
	size_t room = 0;
	char what[64];

	fanotify_file_entry__init(e);
	entry->ffy = e;
	e->id = entry->id;
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	snprintf(what, sizeof(what), "pid %d: descriptor %d", info->task->pid, info->fd);
	if (!line || sscanf(line, "\nfanotify flags:%x event-flags:%x", &faflags, &evflags) != 2)
		return err_set(EIO, "%s is a fanotify group that cannot be read", what);
	e->faflags = faflags;
	e->evflags = evflags;
	while ((line = strstr(line + 1, "\nfanotify ")))
		if (dump_mark(info->task->live, what, line + 1, e, &room) < 0)
			return -1;
	if (poll(&(struct pollfd){ .fd = info->dup, .events = POLLIN }, 1, 0) > 0)
		pr_warn("%s: fanotify events that nobody has read yet are not kept", what);
	return 0;
}

/* --- restore --- */

static int fanotify_collect(struct restore *restore, FileEntry *entry)
{
	const FanotifyFileEntry *e = entry->ffy;

	if (!e)
		return err_set(EINVAL, "files.img: id %u has no fanotify_file_entry", entry->id);
	for (size_t i = 0; i < e->n_mark; i++)
		if (e->mark[i]->type == MARK_TYPE__INODE ? !e->mark[i]->ie : !e->mark[i]->me || !e->mark[i]->me->path)
			return err_set(EINVAL, "files.img: id %u has a fanotify mark of nothing", entry->id);
	return 0;
}

/* After all files are open, for opening them makes events. */
static bool fanotify_late(const struct restore *restore, const FileEntry *entry)
{
	return true;
}

static int add_mark(const struct restore *restore, int fd, const FanotifyMarkEntry *m)
{
	unsigned int flags = FAN_MARK_ADD | (m->type == MARK_TYPE__MOUNT ? FAN_MARK_MOUNT : 0);
	char path[4096];
	auto_fd handle = -1;

	if (m->type == MARK_TYPE__MOUNT)
		snprintf(path, sizeof(path), "%s", m->me->path);
	else if (fsnotify_find(restore, m->ie->f_handle, m->s_dev, m->ie->i_ino, path, sizeof(path), &handle) < 0)
		return -1;
	if (m->mask && fanotify_mark(fd, flags, m->mask, AT_FDCWD, path) < 0)
		return err_errno("cannot mark %s for fanotify", path);
	if (m->ignored_mask && fanotify_mark(fd, flags | FAN_MARK_IGNORED_MASK | (m->mflags & FAN_MARK_IGNORED_SURV_MODIFY), m->ignored_mask, AT_FDCWD,
					     path) < 0)
		return err_errno("cannot mark %s as ignored by fanotify", path);
	return 0;
}

static int fanotify_open(struct restore *restore, FileEntry *entry)
{
	const FanotifyFileEntry *e = entry->ffy;
	auto_fd fd = fanotify_init(e->faflags | (e->flags & O_NONBLOCK ? FAN_NONBLOCK : 0), e->evflags);
	int result = fd;

	if (fd < 0)
		return err_errno("cannot make a fanotify group with flags 0x%x", e->faflags);
	/* FAN_CLOEXEC would stay visible in the group's flags. */
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (size_t i = 0; i < e->n_mark; i++)
		if (add_mark(restore, fd, e->mark[i]) < 0)
			return -1;
	fd = -1;
	return result;
}

static int fanotify_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->ffy->fown, fd);
}

const struct fd_kind fanotify_kind = {
	.type = FD_TYPES__FANOTIFY,
	.name = "fanotify",
	.recognise = fanotify_recognise,
	.dump = fanotify_dump,
	.collect = fanotify_collect,
	.late = fanotify_late,
	.open = fanotify_open,
	.settle = fanotify_settle,
};
