/* SPDX-License-Identifier: MIT
 *
 * Timers behind descriptors: timerfd_create(2), proc_pid_fdinfo(5). What was left of a timer at the dump
 * is what it has left after the restore, as with CRIU.
 */
#include "resource/timerfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/regfile.h"
#include "tree/restore_tree.h"
#include "tree/task.h"

#ifndef TFD_IOC_SET_TICKS
#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t) /* linux/timerfd.h */
#endif
#define NSEC 1000000000ULL

/* --- dump --- */

static bool timerfd_recognise(const struct fd_info *info)
{
	return !strcmp(info->link, "anon_inode:[timerfd]");
}

static bool parse_pair(const char *text, uint64_t *sec, uint64_t *nsec)
{
	unsigned long long a, b;

	if (!text || sscanf(text, "(%llu, %llu)", &a, &b) != 2)
		return false;
	*sec = a;
	*nsec = b;
	return true;
}

static int timerfd_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	const char *clock = status_field(info->fdinfo, "clockid"), *ticks = status_field(info->fdinfo, "ticks");
	const char *flags = status_field(info->fdinfo, "settime flags");
	TimerfdEntry *e = xzalloc(sizeof(*e));

	timerfd_entry__init(e);
	entry->tfd = e;
	if (!clock || !ticks || !flags || !parse_pair(status_field(info->fdinfo, "it_value"), &e->vsec, &e->vnsec) ||
	    !parse_pair(status_field(info->fdinfo, "it_interval"), &e->isec, &e->insec))
		return err_set(EIO, "pid %d: descriptor %d is a timerfd whose state /proc does not show", info->task->pid, info->fd);
	e->id = entry->id;
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	e->clockid = atoi(clock);
	e->ticks = strtoull(ticks, NULL, 10);
	e->settime_flags = strtoul(flags, NULL, 8);
	return 0;
}

/* --- restore --- */

static int timerfd_collect(struct restore *restore, FileEntry *entry)
{
	const TimerfdEntry *e = entry->tfd;

	if (!e)
		return err_set(EINVAL, "files.img: id %u has no timerfd_entry", entry->id);
	if (e->vnsec >= NSEC || e->insec >= NSEC || e->vsec > INT64_MAX / 2 || e->isec > INT64_MAX / 2)
		return err_set(EINVAL, "files.img: id %u is a timerfd with an impossible time", entry->id);
	return 0;
}

static int timerfd_open(struct restore *restore, FileEntry *entry)
{
	const TimerfdEntry *e = entry->tfd;
	auto_fd fd = timerfd_create(e->clockid, TFD_CLOEXEC | TFD_NONBLOCK);
	struct itimerspec t = { { e->isec, e->insec }, { e->vsec, e->vnsec } };
	struct timespec now;
	int result = fd;

	if (fd < 0)
		return err_errno("cannot make a timerfd of clock %u", e->clockid);
	/* The images have what was left; an absolute timer is set again as one, so that it shows as one. */
	if (e->settime_flags & TFD_TIMER_ABSTIME && (e->vsec || e->vnsec)) {
		clock_gettime(e->clockid, &now);
		t.it_value.tv_sec += now.tv_sec + (t.it_value.tv_nsec + now.tv_nsec) / NSEC;
		t.it_value.tv_nsec = (t.it_value.tv_nsec + now.tv_nsec) % NSEC;
	}
	if (timerfd_settime(fd, e->settime_flags, &t, NULL) < 0)
		return err_errno("cannot set a timerfd");
	if (e->ticks && ioctl(fd, TFD_IOC_SET_TICKS, &e->ticks) < 0)
		return err_errno("cannot set the %llu expirations of a timerfd", (unsigned long long)e->ticks);
	if (fcntl(fd, F_SETFL, e->flags) < 0)
		return err_errno("cannot set the flags of a timerfd");
	fd = -1;
	return result;
}

static int timerfd_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->tfd->fown, fd);
}

const struct fd_kind timerfd_kind = {
	.type = FD_TYPES__TIMERFD,
	.name = "timerfd",
	.recognise = timerfd_recognise,
	.dump = timerfd_dump,
	.collect = timerfd_collect,
	.open = timerfd_open,
	.settle = timerfd_settle,
};
