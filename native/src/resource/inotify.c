/* SPDX-License-Identifier: MIT
 *
 * inotify(7): the instances, what they watch, and the numbers of their watches. Events that nobody has read yet cannot be put back.
 */
#include "resource/inotify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/fsnotify.h"
#include "resource/regfile.h"
#include "tree/restore_tree.h"
#include "tree/task.h"

/* Numbers are given in turn, and a hole is filled by a watch that is removed again. */
#define WD_MAX 1000000

/* --- dump --- */

static bool inotify_recognise(const struct fd_info *info)
{
	return !strcmp(info->link, "anon_inode:inotify") || !strcmp(info->link, "anon_inode:[inotify]");
}

static int dump_watch(pid_t pid, const char *what, const char *line, InotifyFileEntry *e, size_t *room)
{
	InotifyWdEntry *w = xzalloc(sizeof(*w));
	unsigned int wd, mask, ignored, dev;
	unsigned long long inode;

	inotify_wd_entry__init(w);
	*(InotifyWdEntry **)array_push(&e->wd, &e->n_wd, room, sizeof(w)) = w;
	if (sscanf(line, "inotify wd:%x ino:%llx sdev:%x mask:%x ignored_mask:%x", &wd, &inode, &dev, &mask, &ignored) != 5)
		return err_set(EIO, "%s is an inotify instance whose watches cannot be read: %.80s", what, line);
	w->wd = wd;
	w->i_ino = inode;
	w->s_dev = dev;
	w->mask = mask;
	w->ignored_mask = ignored;
	w->f_handle = fsnotify_dump_handle(pid, what, line, dev, inode);
	return w->f_handle ? 0 : -1;
}

static int inotify_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	InotifyFileEntry *e = xzalloc(sizeof(*e));
	size_t room = 0;
	char what[64];
	int unread = 0;

	inotify_file_entry__init(e);
	entry->ify = e;
	e->id = entry->id;
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	snprintf(what, sizeof(what), "pid %d: descriptor %d", info->task->pid, info->fd);
	for (const char *line = strstr(info->fdinfo, "\ninotify "); line; line = strstr(line + 1, "\ninotify "))
		if (dump_watch(info->task->live, what, line + 1, e, &room) < 0)
			return -1;
	if (info->dup >= 0 && ioctl(info->dup, FIONREAD, &unread) == 0 && unread)
		pr_warn("%s: inotify events of %d bytes that nobody has read yet are not kept", what, unread);
	return 0;
}

/* --- restore --- */

static int compare_wd(const void *a, const void *b)
{
	uint32_t x = (*(InotifyWdEntry *const *)a)->wd, y = (*(InotifyWdEntry *const *)b)->wd;

	return (x > y) - (x < y);
}

static int inotify_collect(struct restore *restore, FileEntry *entry)
{
	InotifyFileEntry *e = entry->ify;

	if (!e)
		return err_set(EINVAL, "files.img: id %u has no inotify_file_entry", entry->id);
	qsort(e->wd, e->n_wd, sizeof(*e->wd), compare_wd);
	for (size_t i = 0; i < e->n_wd; i++)
		if (!e->wd[i]->wd || e->wd[i]->wd > WD_MAX || (i && e->wd[i]->wd == e->wd[i - 1]->wd))
			return err_set(EINVAL, "files.img: id %u has an inotify watch numbered %u", entry->id, e->wd[i]->wd);
	return 0;
}

/* After all files are open, for opening them makes events. */
static bool inotify_late(const struct restore *restore, const FileEntry *entry)
{
	return true;
}

static int add_watch(const struct restore *restore, int fd, const InotifyWdEntry *w)
{
	char path[4096];
	auto_fd handle = -1;
	int wd;

	if (fsnotify_find(restore, w->f_handle, w->s_dev, w->i_ino, path, sizeof(path), &handle) < 0)
		return -1;
	while ((wd = inotify_add_watch(fd, path, w->mask)) >= 0 && wd < (int)w->wd)
		inotify_rm_watch(fd, wd);
	if (wd < 0)
		return err_errno("cannot watch %s", path);
	if (wd != (int)w->wd)
		return err_set(EEXIST, "cannot watch %s as number %u: it got %d", path, w->wd, wd);
	return 0;
}

static int inotify_open(struct restore *restore, FileEntry *entry)
{
	const InotifyFileEntry *e = entry->ify;
	auto_fd fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char events[4096];
	int result = fd;

	if (fd < 0)
		return err_errno("cannot make an inotify instance");
	for (size_t i = 0; i < e->n_wd; i++)
		if (add_watch(restore, fd, e->wd[i]) < 0)
			return -1;
	/* That watches were removed on the way. */
	while (read(fd, events, sizeof(events)) > 0)
		;
	if (fcntl(fd, F_SETFL, e->flags) < 0)
		return err_errno("cannot set the flags of an inotify instance");
	fd = -1;
	return result;
}

static int inotify_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->ify->fown, fd);
}

const struct fd_kind inotify_kind = {
	.type = FD_TYPES__INOTIFY,
	.name = "inotify",
	.recognise = inotify_recognise,
	.dump = inotify_dump,
	.collect = inotify_collect,
	.late = inotify_late,
	.open = inotify_open,
	.settle = inotify_settle,
};
