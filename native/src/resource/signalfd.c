/* SPDX-License-Identifier: MIT
 *
 * Signals behind descriptors: signalfd(2), proc_pid_fdinfo(5).
 */
#include "resource/signalfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/regfile.h"
#include "tree/restore_tree.h"
#include "tree/task.h"

/* --- dump --- */

static bool signalfd_recognise(const struct fd_info *info)
{
	return !strcmp(info->link, "anon_inode:[signalfd]");
}

static int signalfd_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	const char *mask = status_field(info->fdinfo, "sigmask");
	SignalfdEntry *e = xzalloc(sizeof(*e));

	signalfd_entry__init(e);
	entry->sgfd = e;
	if (!mask)
		return err_set(EIO, "pid %d: descriptor %d is a signalfd whose mask /proc does not show", info->task->pid, info->fd);
	e->id = entry->id;
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	e->sigmask = strtoull(mask, NULL, 16);
	return 0;
}

/* --- restore --- */

static int signalfd_collect(struct restore *restore, FileEntry *entry)
{
	return entry->sgfd ? 0 : err_set(EINVAL, "files.img: id %u has no signalfd_entry", entry->id);
}

static int signalfd_open(struct restore *restore, FileEntry *entry)
{
	const SignalfdEntry *e = entry->sgfd;
	/* The system call itself: glibc's mask is larger than the kernel's eight bytes. */
	auto_fd fd = syscall(SYS_signalfd4, -1, &e->sigmask, sizeof(e->sigmask), SFD_CLOEXEC);
	int result = fd;

	if (fd < 0 || fcntl(fd, F_SETFL, e->flags) < 0)
		return err_errno("cannot make a signalfd");
	fd = -1;
	return result;
}

static int signalfd_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->sgfd->fown, fd);
}

const struct fd_kind signalfd_kind = {
	.type = FD_TYPES__SIGNALFD,
	.name = "signalfd",
	.recognise = signalfd_recognise,
	.dump = signalfd_dump,
	.collect = signalfd_collect,
	.open = signalfd_open,
	.settle = signalfd_settle,
};
