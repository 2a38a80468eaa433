/* SPDX-License-Identifier: MIT */
#include "resource/filelock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "images/file-lock.pb-c.h"
#include "resource/fd_kind.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

/* file_lock_entry.flag, as real images have it; type is F_RDLCK or F_WRLCK */
#define LOCK_POSIX 1
#define LOCK_FLOCK 2
#define LOCK_OFD 4
#define LOCK_LEASE 8
/* Beside the type that a lease is being broken to, as crit decodes it. */
#define TYPE_BREAKING 4

static const struct {
	const char *name;
	uint32_t flag;
} kinds[] = { { "POSIX", LOCK_POSIX }, { "FLOCK", LOCK_FLOCK }, { "OFDLCK", LOCK_OFD }, { "LEASE", LOCK_LEASE } };

static const char *lock_name(uint32_t flag)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].flag == flag)
			return kinds[i].name;
	return NULL;
}

/* --- dump --- */

static struct img *locks_img;

/* POSIX locks show on each descriptor of the file that the task has. */
static struct seen {
	pid_t pid;
	uint64_t dev, inode;
	long long start;
} *seen;
static size_t seen_count, seen_room;

static bool seen_before(const struct fd_info *info, long long start)
{
	struct seen *s;

	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].pid == info->task->pid && seen[i].inode == info->st.st_ino && seen[i].dev == info->st.st_dev && seen[i].start == start)
			return true;
	s = array_push(&seen, &seen_count, &seen_room, sizeof(*seen));
	*s = (struct seen){ info->task->pid, info->st.st_dev, info->st.st_ino, start };
	return false;
}

/* "lock:	1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 100 EOF" */
static int dump_line(struct dump *dump, const struct fd_info *info, const char *line, bool new_file)
{
	FileLockEntry e = FILE_LOCK_ENTRY__INIT;
	char name[16], state[16], type[16], end[32];
	long long start;
	bool breaking;

	if (sscanf(line, "lock:%*d: %15s %15s %15s %*d %*[0-9a-f]:%*[0-9a-f]:%*u %lld %31s", name, state, type, &start, end) != 5)
		return err_set(EIO, "pid %d: descriptor %d (%s): its lock cannot be read: %.80s", info->task->pid, info->fd, info->link, line);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(name, kinds[i].name))
			e.flag = kinds[i].flag;
	breaking = e.flag == LOCK_LEASE && !strcmp(state, "BREAKING");
	e.type = !strcmp(type, "READ") ? F_RDLCK : !strcmp(type, "WRITE") ? F_WRLCK : F_UNLCK;
	if (!e.flag || (e.type == F_UNLCK && !(breaking && !strcmp(type, "UNLCK"))))
		return err_set(ENOTSUP, "pid %d: descriptor %d (%s) holds a lock of a kind that cannot be dumped: %s %s %s", info->task->pid, info->fd,
			       info->link, name, state, type);
	if (e.flag == LOCK_POSIX ? seen_before(info, start) : !new_file)
		return 0;
	if (!dump->request->file_locks)
		return err_set(ENOTSUP, "pid %d: descriptor %d (%s) holds a lock (%s %s); dump with --file-locks to take it again after the restore",
			       info->task->pid, info->fd, info->link, name, type);
	if (breaking)
		e.type |= TYPE_BREAKING;
	e.pid = info->task->pid;
	e.fd = info->fd;
	e.start = start;
	/* fcntl(2): 0 is up to the end */
	e.len = strcmp(end, "EOF") ? strtoll(end, NULL, 10) - start + 1 : 0;
	if (!locks_img && !(locks_img = img_create(dump->dirfd, IMG_FILE_LOCKS, 0)))
		return -1;
	return img_write(locks_img, &e.base);
}

int filelock_dump(struct dump *dump, const struct fd_info *info, bool new_file)
{
	for (const char *line = strstr(info->fdinfo, "\nlock:"); line; line = strstr(line + 1, "\nlock:"))
		if (dump_line(dump, info, line + 1, new_file) < 0)
			return -1;
	return 0;
}

int filelock_dump_end(void)
{
	int result = img_close(locks_img);

	locks_img = NULL;
	free(seen);
	seen = NULL;
	seen_count = seen_room = 0;
	return result;
}

/* --- restore --- */

static FileLockEntry **locks;
static size_t lock_count, lock_room;

static const FdinfoEntry *find_fd(const struct restore_task *task, int fd)
{
	for (size_t i = 0; i < task->fd_count; i++)
		if ((int)task->fds[i]->fd == fd)
			return task->fds[i];
	return NULL;
}

static bool known_type(const FileLockEntry *e)
{
	if (e->flag == LOCK_LEASE && e->type & TYPE_BREAKING)
		return e->type == (TYPE_BREAKING | F_RDLCK) || e->type == (TYPE_BREAKING | F_UNLCK);
	return e->type == F_RDLCK || e->type == F_WRLCK;
}

int filelocks_read(struct restore *restore)
{
	auto_img *img = img_open(restore->dirfd, IMG_FILE_LOCKS, 0, true);
	FileLockEntry *e;
	int got;

	if (!img)
		return errno == ENOENT && !err_code() ? 0 : -1;
	while ((got = img_read(img, &file_lock_entry__descriptor, &e)) > 0) {
		struct restore_task *task = restore_find_task(restore, e->pid);

		*(FileLockEntry **)array_push(&locks, &lock_count, &lock_room, sizeof(e)) = e;
		if (!task || task->zombie || task->helper || !find_fd(task->files_owner, e->fd))
			return err_set(EINVAL, "filelocks.img: a lock of pid %d on descriptor %d, which the images do not have", e->pid, e->fd);
		if (!lock_name(e->flag) || !known_type(e) || e->start < 0 || e->len < 0)
			return err_set(EINVAL, "filelocks.img: pid %d, descriptor %d: a lock of flag %u, type %u, %" PRId64 "+%" PRId64, e->pid, e->fd,
				       e->flag, e->type, e->start, e->len);
	}
	return got;
}

/* A lease that somebody waits to see given up (fcntl(2)): taken, then broken again, without a signal to tell of it once more. */
static int take_breaking(const FileLockEntry *e)
{
	int access = fcntl(e->fd, F_GETFL) & O_ACCMODE, target = e->type & ~TYPE_BREAKING;
	struct f_owner_ex owner = { 0 }, nobody = { F_OWNER_PID, 0 };
	auto_fd breaker = -1;
	char path[64];
	int sig;

	/* What is being broken to nothing shows no more what it was; only a file open for reading alone may have a read lease. */
	if (fcntl(e->fd, F_SETLEASE, target == F_UNLCK && access == O_RDONLY ? F_RDLCK : F_WRLCK) < 0)
		return -1;
	sig = fcntl(e->fd, F_GETSIG);
	if (sig < 0 || fcntl(e->fd, F_GETOWN_EX, &owner) < 0 || fcntl(e->fd, F_SETOWN_EX, &nobody) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", e->fd);
	breaker = open(path, (target == F_RDLCK ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_CLOEXEC);
	if (breaker >= 0 || errno != EWOULDBLOCK) {
		errno = breaker >= 0 ? EBUSY : errno;
		return -1;
	}
	return fcntl(e->fd, F_SETOWN_EX, &owner);
}

static int take(const FileLockEntry *e)
{
	struct flock lock = { .l_type = e->type, .l_whence = SEEK_SET, .l_start = e->start, .l_len = e->len };

	switch (e->flag) {
	case LOCK_FLOCK:
		return flock(e->fd, (e->type == F_RDLCK ? LOCK_SH : LOCK_EX) | LOCK_NB);
	case LOCK_OFD:
		return fcntl(e->fd, F_OFD_SETLK, &lock);
	case LOCK_LEASE:
		if (e->type & TYPE_BREAKING)
			return take_breaking(e);
		return fcntl(e->fd, F_SETLEASE, e->type);
	default:
		return fcntl(e->fd, F_SETLK, &lock);
	}
}

int filelocks_restore(struct restore *restore, const struct restore_task *task)
{
	for (size_t i = 0; i < lock_count; i++) {
		const FileLockEntry *e = locks[i];

		if (restore_find_task(restore, e->pid)->files_owner != task || take(e) == 0)
			continue;
		if (errno == EAGAIN || errno == EACCES)
			return err_set(EAGAIN, "descriptor %d: its lock (%s) is held by another process now", e->fd, lock_name(e->flag));
		return err_errno("descriptor %d: cannot take its lock (%s) again", e->fd, lock_name(e->flag));
	}
	return 0;
}
