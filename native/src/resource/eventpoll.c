/* SPDX-License-Identifier: MIT
 *
 * epoll(7) instances and what they watch (proc_pid_fdinfo(5)). A watched file may have lost the descriptor it was added by; any other
 * descriptor of the same file serves to add it again.
 */
#include "resource/eventpoll.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/regfile.h"
#include "tree/restore_tree.h"
#include "tree/task.h"

/* --- dump --- */

static bool eventpoll_recognise(const struct fd_info *info)
{
	return !strcmp(info->link, "anon_inode:[eventpoll]");
}

/* kcmp(2), KCMP_EPOLL_TFD: whether descriptor fd is what the instance watches as tfd; toff counts equal numbers. */
static bool is_target(const struct fd_info *info, int fd, int tfd, unsigned int toff)
{
	struct kcmp_epoll_slot slot = { info->fd, tfd, toff };

	return syscall(SYS_kcmp, info->task->live, info->task->live, KCMP_EPOLL_TFD, fd, &slot) == 0;
}

/* A descriptor of this process by which the watched file can be added again, or -1. */
static int find_target(const struct fd_info *info, int tfd, unsigned int toff)
{
	char path[64];
	struct dirent *d;
	DIR *dir;
	int found = -1;

	if (is_target(info, tfd, tfd, toff))
		return tfd;
	snprintf(path, sizeof(path), "/proc/%d/fd", info->task->live);
	dir = opendir(path);
	while (dir && found < 0 && (d = readdir(dir)))
		if (d->d_name[0] != '.' && is_target(info, atoi(d->d_name), tfd, toff))
			found = atoi(d->d_name);
	if (dir)
		closedir(dir);
	return found;
}

static int dump_target(const struct fd_info *info, const char *line, EventpollFileEntry *e, size_t *room)
{
	EventpollTfdEntry *t = xzalloc(sizeof(*t));
	unsigned long long data, inode = 0;
	unsigned int events, dev = 0, toff = 0;
	long long pos = 0;
	int tfd;

	eventpoll_tfd_entry__init(t);
	*(EventpollTfdEntry **)array_push(&e->tfd, &e->n_tfd, room, sizeof(*e->tfd)) = t;
	if (sscanf(line, "tfd: %d events: %x data: %llx pos:%lli ino:%llx sdev:%x", &tfd, &events, &data, &pos, &inode, &dev) < 3)
		return err_set(EIO, "pid %d: descriptor %d is an epoll whose state cannot be read: %.60s", info->task->pid, info->fd, line);
	for (size_t i = 0; i + 1 < e->n_tfd; i++)
		if ((int)e->tfd[i]->id == tfd)
			toff++;
	/* While the list grows id keeps the number it was added by; the images have nothing there. */
	t->id = tfd;
	t->events = events;
	t->data = data;
	t->has_dev = t->has_inode = t->has_pos = true;
	t->dev = dev;
	t->inode = inode;
	t->pos = pos;
	tfd = find_target(info, tfd, toff);
	if (tfd < 0)
		return err_set(ENOTSUP, "pid %d: descriptor %d is an epoll that watches a file, once descriptor %u, of which this process has no descriptor any more",
			       info->task->pid, info->fd, t->id);
	t->tfd = tfd;
	return 0;
}

static int eventpoll_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	EventpollFileEntry *e = xzalloc(sizeof(*e));
	const char *line;
	size_t room = 0;

	eventpoll_file_entry__init(e);
	entry->epfd = e;
	e->id = entry->id;
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	for (line = strstr(info->fdinfo, "\ntfd:"); line; line = strstr(line + 1, "\ntfd:"))
		if (dump_target(info, line + 1, e, &room) < 0)
			return -1;
	for (size_t i = 0; i < e->n_tfd; i++)
		e->tfd[i]->id = 0;
	return 0;
}

/* --- restore --- */

static int eventpoll_collect(struct restore *restore, FileEntry *entry)
{
	return entry->epfd ? 0 : err_set(EINVAL, "files.img: id %u has no eventpoll_file_entry", entry->id);
}

static int eventpoll_open(struct restore *restore, FileEntry *entry)
{
	auto_fd fd = epoll_create1(EPOLL_CLOEXEC);
	int result = fd;

	if (fd < 0 || fcntl(fd, F_SETFL, entry->epfd->flags) < 0)
		return err_errno("cannot make an epoll instance");
	fd = -1;
	return result;
}

/* The instance is filled once, by the first task that has it: the numbers of its targets are that task's. */
static bool is_first_user(const struct restore *restore, const FileEntry *entry, int fd)
{
	for (size_t i = 0; i < restore->task_count; i++) {
		const struct restore_task *task = &restore->tasks[i];

		for (size_t j = 0; j < task->fd_count; j++)
			if (task->fds[j]->id == entry->id)
				return task->pid == getpid() && (int)task->fds[j]->fd == fd;
	}
	return false;
}

static int eventpoll_settle(struct restore *restore, FileEntry *entry, int fd)
{
	const EventpollFileEntry *e = entry->epfd;

	if (fown_restore(e->fown, fd) < 0)
		return -1;
	if (!is_first_user(restore, entry, fd))
		return 0;
	for (size_t i = 0; i < e->n_tfd; i++) {
		struct epoll_event event = { .events = e->tfd[i]->events, .data.u64 = e->tfd[i]->data };

		if (epoll_ctl(fd, EPOLL_CTL_ADD, e->tfd[i]->tfd, &event) < 0)
			return err_errno("cannot let an epoll instance watch descriptor %u", e->tfd[i]->tfd);
	}
	return 0;
}

const struct fd_kind eventpoll_kind = {
	.type = FD_TYPES__EVENTPOLL,
	.name = "epoll",
	.recognise = eventpoll_recognise,
	.dump = eventpoll_dump,
	.collect = eventpoll_collect,
	.open = eventpoll_open,
	.settle = eventpoll_settle,
};
