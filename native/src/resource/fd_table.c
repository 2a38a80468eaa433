/* SPDX-License-Identifier: MIT */
#include "resource/fd_table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <search.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/fd_kind.h"
#include "resource/inherit.h"
#include "resource/regfile.h"
#include "resource/filelock.h"
#include "tree/dump.h"

/* An open file (description, open(2)) and one descriptor by which to compare it. Files that differ in what fstat and fdinfo show
 * cannot be the same; kcmp(2) orders the rest. */
struct open_file {
	uint64_t dev, inode, pos;
	uint32_t flags;
	pid_t pid;
	int fd;
	uint32_t id;
	FdTypes type;
};

static void *open_files; /* tsearch tree */

#define ORDER(a, b)                    \
	do {                           \
		if ((a) != (b))        \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static int compare(const void *x, const void *y)
{
	const struct open_file *a = x, *b = y;
	long order;

	ORDER(a->inode, b->inode);
	ORDER(a->dev, b->dev);
	ORDER(a->flags, b->flags);
	ORDER(a->pos, b->pos);
	order = syscall(SYS_kcmp, a->pid, b->pid, KCMP_FILE, a->fd, b->fd);
	/* kcmp(2): 1 less, 2 greater. Where it is refused each descriptor counts as a file of its own only if it is one. */
	return order == 1 ? -1 : order == 0 ? 0 : 1;
}

void fd_table_dump_end(void)
{
	tdestroy(open_files, free);
	open_files = NULL;
}

/* What /proc and pidfd_getfd tell of one descriptor. */
static int read_info(struct task *task, int pidfd, int fd, struct fd_info *info)
{
	char name[32];
	const char *value;

	info->task = task;
	info->fd = fd;
	snprintf(name, sizeof(name), "fd/%d", fd);
	if (proc_readlink(task->live, name, info->link, sizeof(info->link)) < 0)
		return err_errno("pid %d: cannot see what descriptor %d is", task->pid, fd);
	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	info->fdinfo = proc_read(task->live, name, NULL);
	info->dup = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (info->dup >= 0 ? fstat(info->dup, &info->st) < 0 : ({
		    char path[64];
		    snprintf(path, sizeof(path), "/proc/%d/fd/%d", task->live, fd);
		    stat(path, &info->st) < 0;
	    }))
		return err_errno("pid %d: cannot see what descriptor %d (%s) is", task->pid, fd, info->link);
	if (!info->fdinfo || !(value = status_field(info->fdinfo, "flags")))
		return err_set(EIO, "pid %d: /proc tells nothing of descriptor %d (%s)", task->pid, fd, info->link);
	info->flags = strtoul(value, NULL, 8);
	info->cloexec = info->flags & O_CLOEXEC;
	info->flags &= ~O_CLOEXEC;
	value = status_field(info->fdinfo, "pos");
	info->pos = value ? strtoll(value, NULL, 10) : 0;
	value = status_field(info->fdinfo, "mnt_id");
	info->mnt_id = value ? atoi(value) : -1;
	return 0;
}

static int dump_file(struct dump *dump, const struct fd_info *info, struct open_file *file)
{
	const struct fd_kind *kind = fd_kind_recognise(info);
	FileEntry *entry = xzalloc(sizeof(*entry));
	int result;

	file_entry__init(entry);
	if (external_dump_file(dump, info, entry))
		kind = &regfile_kind;
	else if (!kind)
		return err_set(ENOTSUP, "pid %d: descriptor %d is %s, a kind that cannot be dumped yet: close it before the dump", info->task->pid,
			       info->fd, info->link);
	file->id = entry->id = next_id();
	file->type = entry->type = kind->type;
	if (entry->reg)
		entry->reg->id = entry->id;
	result = entry->reg ? 0 : kind->dump(dump, info, entry);
	if (result > 0)
		return 0;
	if (!result)
		result = img_write(dump->files, &entry->base);
	file_entry__free_unpacked(entry, NULL);
	return result;
}

/* Dumps the open file unless it was met before. Returns it, or NULL with the error set. */
static const struct open_file *meet(struct dump *dump, const struct fd_info *info)
{
	struct open_file *file = xzalloc(sizeof(*file)), **found;

	*file = (struct open_file){ info->st.st_dev, info->st.st_ino, info->pos, info->flags, info->task->live, info->fd, 0, 0 };
	found = tsearch(file, &open_files, compare);
	if (*found != file) {
		free(file);
		return *found;
	}
	return dump_file(dump, info, file) < 0 ? NULL : file;
}

static void close_info(struct fd_info *info)
{
	free(info->fdinfo);
	info->fdinfo = NULL;
	if (info->dup >= 0)
		close(info->dup);
	info->dup = -1;
}

static int dump_fd(struct dump *dump, struct task *task, int pidfd, int fd, struct img *img)
{
	static struct fd_info info = { .dup = -1 };
	FdinfoEntry e = FDINFO_ENTRY__INIT;
	const struct open_file *file = read_info(task, pidfd, fd, &info) < 0 ? NULL : meet(dump, &info);

	if (file) {
		e.id = file->id;
		e.type = file->type;
		e.flags = info.cloexec ? FD_CLOEXEC : 0;
		e.fd = fd;
		if (filelock_dump(dump, &info, file->pid == task->live && file->fd == fd) < 0)
			file = NULL;
	}
	close_info(&info);
	return file ? img_write(img, &e.base) : -1;
}

int fd_table_dump_in_flight(struct dump *dump, int fd, uint32_t *id)
{
	static struct task self;
	struct fd_info *info = xzalloc(sizeof(*info));
	auto_fd pidfd = pidfd_open(getpid(), 0);
	const struct open_file *file = NULL;

	self.pid = self.live = getpid();
	info->dup = -1;
	if (pidfd < 0)
		err_errno("cannot open a pidfd of pcr itself");
	else
		file = read_info(&self, pidfd, fd, info) < 0 ? NULL : meet(dump, info);
	if (file)
		*id = file->id;
	close_info(info);
	free(info);
	return file ? 0 : -1;
}

int fd_table_dump(struct dump *dump, struct task *task)
{
	auto_fd pidfd = task_pidfd(task);
	auto_img *img = NULL;
	char path[64];
	struct dirent *entry;
	DIR *dir;
	int result = 0;

	if (pidfd < 0)
		return err_errno("pid %d: cannot open a pidfd of it", task->pid);
	snprintf(path, sizeof(path), "/proc/%d/fd", task->live);
	dir = opendir(path);
	if (!dir)
		return err_errno("pid %d: cannot list its descriptors", task->pid);
	img = img_create(dump->dirfd, IMG_FDINFO, task->files_id);
	if (!img)
		result = -1;
	while (!result && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			result = dump_fd(dump, task, pidfd, atoi(entry->d_name), img);
	closedir(dir);
	return result;
}
