/* SPDX-License-Identifier: MIT
 *
 * Event counters: eventfd(2), proc_pid_fdinfo(5).
 */
#include "resource/eventfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/regfile.h"
#include "tree/restore_tree.h"
#include "tree/task.h"

/* --- dump --- */

static bool eventfd_recognise(const struct fd_info *info)
{
	return !strcmp(info->link, "anon_inode:[eventfd]");
}

static int eventfd_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	const char *count = status_field(info->fdinfo, "eventfd-count"), *semaphore = status_field(info->fdinfo, "eventfd-semaphore");
	EventfdFileEntry *e = xzalloc(sizeof(*e));

	eventfd_file_entry__init(e);
	entry->efd = e;
	if (!count)
		return err_set(EIO, "pid %d: descriptor %d is an eventfd whose count /proc does not show", info->task->pid, info->fd);
	e->id = entry->id;
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	e->counter = strtoull(count, NULL, 16);
	if (semaphore && atoi(semaphore)) {
		e->has_pcr_semaphore = true;
		e->pcr_semaphore = true;
	}
	return 0;
}

/* --- restore --- */

static int eventfd_collect(struct restore *restore, FileEntry *entry)
{
	return entry->efd ? 0 : err_set(EINVAL, "files.img: id %u has no eventfd_file_entry", entry->id);
}

static int eventfd_open(struct restore *restore, FileEntry *entry)
{
	const EventfdFileEntry *e = entry->efd;
	int flags = EFD_CLOEXEC | EFD_NONBLOCK | (e->pcr_semaphore ? EFD_SEMAPHORE : 0);
	auto_fd fd = eventfd(0, flags);
	int result = fd;

	/* eventfd(2) takes 32 bits only, a write takes them all; its highest value can only be overflowed to by the kernel. */
	if (fd < 0 || (e->counter && write(fd, &e->counter, sizeof(e->counter)) != sizeof(e->counter)) || fcntl(fd, F_SETFL, e->flags) < 0)
		return err_errno("cannot make an eventfd with count %llu", (unsigned long long)e->counter);
	fd = -1;
	return result;
}

static int eventfd_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->efd->fown, fd);
}

const struct fd_kind eventfd_kind = {
	.type = FD_TYPES__EVENTFD,
	.name = "eventfd",
	.recognise = eventfd_recognise,
	.dump = eventfd_dump,
	.collect = eventfd_collect,
	.open = eventfd_open,
	.settle = eventfd_settle,
};
