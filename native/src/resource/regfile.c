/* SPDX-License-Identifier: MIT
 *
 * Files that are reached by a path. Restore opens the path again, so a dump makes sure that the path leads to the very file.
 */
#include "resource/regfile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/build_id.h"
#include "resource/map_file.h"
#include "resource/mapped_copy.h"
#include "resource/procfs.h"
#include "resource/remap.h"
#include "resource/tty.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

/* mq_overview(7): the size of the text that reading a queue gives; ipc/mqueue.c */
#define MQUEUE_STATUS_SIZE 80
#define MQUEUE_MAGIC 0x19800202

#ifndef F_GETOWNER_UIDS
#define F_GETOWNER_UIDS 17
#endif

/* --- dump --- */

FownEntry *fown_dump(int dup)
{
	FownEntry *e = xzalloc(sizeof(*e));
	struct f_owner_ex owner = { 0 };
	uint32_t uids[2] = { 0 };

	fown_entry__init(e);
	if (dup < 0 || fcntl(dup, F_GETOWN_EX, &owner) < 0 || !owner.pid)
		return e;
	/* linux/pid.h: PIDTYPE_PID 0, TGID 1, PGID 2 */
	e->pid_type = owner.type == F_OWNER_TID ? 0 : owner.type == F_OWNER_PID ? 1 : 2;
	e->pid = owner.pid;
	e->signum = fcntl(dup, F_GETSIG);
	if (fcntl(dup, F_GETOWNER_UIDS, uids) == 0) {
		e->uid = uids[0];
		e->euid = uids[1];
	}
	return e;
}

/* Memory devices without state worth keeping: null, zero, full, random, urandom, kmsg (admin-guide/devices.txt, major 1). */
static bool is_plain_device(const struct stat *st)
{
	static const unsigned int minors[] = { 3, 5, 7, 8, 9, 11 };

	if (!S_ISCHR(st->st_mode) || major(st->st_rdev) != 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(minors); i++)
		if (minor(st->st_rdev) == minors[i])
			return true;
	return false;
}

/* Whether path leads to the file of st now; a symbolic link is a file of its own when it was opened as such. */
static bool leads_to(const char *path, const struct stat *st)
{
	struct stat now;

	return (S_ISLNK(st->st_mode) ? lstat(path, &now) : stat(path, &now)) == 0 && now.st_ino == st->st_ino && now.st_dev == st->st_dev;
}

static bool is_device(const char *path, dev_t rdev)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == rdev;
}

/* --evasive-devices: another node of the same device at path, or in /dev, whose path is then put into path (of size bytes). */
static bool find_device(char *path, size_t size, dev_t rdev)
{
	static const char *const nodes[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console" };

	if (is_device(path, rdev))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		if (is_device(nodes[i], rdev) && strlen(nodes[i]) <= size) {
			strcpy(path, nodes[i]);
			return true;
		}
	return false;
}

/* Makes sure that the file with this id can be found again: by path as it is, by path without the " (deleted)" of /proc and a remap.
 * access: a path that leads to it now, "/proc/7/fd/3". what: for messages, "pid 7: descriptor 3". */
static int find_path(struct dump *dump, const char *what, const char *access, char *path, const struct stat *st, uint32_t id)
{
	static const char mark[] = " (deleted)";
	size_t n = strlen(path), m = sizeof(mark) - 1;
	bool marked = n > m && !strcmp(path + n - m, mark);
	pid_t pid;

	if (!strcmp(path, "/secretmem (deleted)") || !strcmp(path, "/secretmem"))
		return err_set(ENOTSUP, "%s is secret memory (memfd_secret), which nobody but its process can read", what);
	if (path[0] != '/')
		return err_set(ENOTSUP, "%s is %s, which has no path to open it by", what, path);
	if (leads_to(path, st))
		return 0;
	if (marked)
		path[n - m] = 0;
	if (dump->request->evasive_devices && S_ISCHR(st->st_mode) && find_device(path, n, st->st_rdev))
		return 0;
	pid = procfs_pid(path);
	if (pid && st->st_nlink && kill(pid, 0) < 0 && errno == ESRCH)
		return remap_dump_dead(dump, id, pid);
	if (!marked && st->st_nlink)
		return err_set(ENOTSUP, "%s is %s, but another file has that name now (something is mounted over it?), so it cannot be opened again",
			       what, path);
	return remap_dump(dump, what, access, path, st, id);
}

static RegFileEntry *new_entry(uint32_t id, const char *path, const struct stat *st, uint32_t flags, uint64_t pos, int dup)
{
	RegFileEntry *e = xzalloc(sizeof(*e));

	reg_file_entry__init(e);
	e->id = id;
	e->flags = flags;
	e->pos = pos;
	e->fown = fown_dump(dup);
	e->name = xstrdup(path);
	e->has_mode = true;
	e->mode = st->st_mode;
	/* Who only writes to a file, a log say, does not mind that it grew; real CRIU leaves the size out as well. */
	if (S_ISREG(st->st_mode) && (flags & O_ACCMODE) != O_WRONLY) {
		e->has_size = true;
		e->size = st->st_size;
	}
	return e;
}

/* access: a path that leads to the file now. */
static void note_build_id(RegFileEntry *reg, const char *access, const struct stat *st)
{
	uint32_t words[BUILD_ID_WORDS_MAX];
	size_t count = S_ISREG(st->st_mode) ? build_id_read(access, words) : 0;

	if (!count)
		return;
	reg->build_id = xzalloc(count * sizeof(*reg->build_id));
	memcpy(reg->build_id, words, count * sizeof(*reg->build_id));
	reg->n_build_id = count;
}

int regfile_write_entry(struct dump *dump, RegFileEntry *reg)
{
	FileEntry e = FILE_ENTRY__INIT;
	int result;

	e.type = FD_TYPES__REG;
	e.id = reg->id;
	e.reg = reg;
	result = img_write(dump->files, &e.base);
	reg_file_entry__free_unpacked(reg, NULL);
	return result;
}

int regfile_dump_device(struct dump *dump, const struct fd_info *info, uint32_t *id)
{
	auto_free char *path = xstrdup(info->link);
	char *mark = strstr(path, " (deleted)");

	/* of a terminal whose other end is gone */
	if (mark)
		*mark = 0;
	*id = next_id();
	return regfile_write_entry(dump, new_entry(*id, path, &info->st, info->flags, 0, -1));
}

static bool regfile_recognise(const struct fd_info *info)
{
	if (!strncmp(info->link, "/memfd:", 7) && !info->st.st_nlink)
		return false;
	return info->flags & O_PATH || S_ISREG(info->st.st_mode) || S_ISDIR(info->st.st_mode) || S_ISLNK(info->st.st_mode) ||
	       is_plain_device(&info->st);
}

/* What looks like a file and will not be there at restore. */
static int refuse_odd(struct dump *dump, const struct fd_info *info, const char *what, const char *access)
{
	struct statfs fs;

	/* Pairs are made again late, by their own descriptors. A terminal outside is there all the time. */
	if (S_ISCHR(info->st.st_mode) && info->flags & O_PATH && TTY_IS_SLAVE(info->st.st_rdev) && !dump->request->shell_job)
		return err_set(ENOTSUP, "%s is a pseudo-terminal opened with O_PATH (%s), which cannot be dumped: close it before the dump", what, info->link);
	if (S_ISREG(info->st.st_mode) && info->st.st_size == MQUEUE_STATUS_SIZE && statfs(access, &fs) == 0 && fs.f_type == MQUEUE_MAGIC)
		return err_set(ENOTSUP, "%s is a POSIX message queue (%s), which cannot be dumped: close it before the dump (mq_close)", what, info->link);
	return 0;
}

RegFileEntry *regfile_dump_entry(struct dump *dump, const struct fd_info *info, uint32_t id)
{
	auto_free char *path = xstrdup(info->link);
	char what[64], access[64];
	RegFileEntry *reg;
	struct stat now;

	snprintf(what, sizeof(what), "pid %d: descriptor %d", info->task->pid, info->fd);
	snprintf(access, sizeof(access), "/proc/%d/fd/%d", info->task->live, info->fd);
	if (refuse_odd(dump, info, what, access) < 0)
		return NULL;
	if (find_path(dump, what, access, path, &info->st, id) < 0)
		return NULL;
	reg = new_entry(id, path, &info->st, info->flags, info->pos, info->dup);
	/* Another node of the device may have another mode, by which restore knows it. */
	if (S_ISCHR(reg->mode) && stat(path, &now) == 0 && now.st_rdev == info->st.st_rdev)
		reg->mode = now.st_mode;
	return reg;
}

static int regfile_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	entry->reg = regfile_dump_entry(dump, info, entry->id);
	return entry->reg ? 0 : -1;
}

/* Executables, directories and mappings come before descriptors. */
static int regfile_last(struct dump *dump)
{
	return remap_dump_close();
}

/* Mapped files already in files.img. */
static struct mapped {
	uint64_t dev, inode;
	uint32_t flags, id;
} *mapped;
static size_t mapped_count, mapped_room;

void regfile_dump_end(void)
{
	free(mapped);
	mapped = NULL;
	mapped_count = mapped_room = 0;
}

int regfile_dump_mapping(struct dump *dump, struct task *task, struct vma *vma, const char *name)
{
	uint32_t flags = vma->flags & MAP_SHARED && vma->may_write ? O_RDWR : O_RDONLY;
	char what[96], link[64], path[4096];
	RegFileEntry *reg;
	struct stat st;
	struct mapped *m;
	bool copied = false;
	auto_fd fd = -1;

	for (size_t i = mapped_count; i-- > 0;)
		if (mapped[i].inode == vma->inode && mapped[i].dev == vma->dev && mapped[i].flags == flags) {
			vma->file_id = mapped[i].id;
			return 0;
		}
	snprintf(what, sizeof(what), "pid %d: the file mapped at 0x%" PRIx64, task->pid, vma->start);
	snprintf(link, sizeof(link), "map_files/%" PRIx64 "-%" PRIx64, vma->start, vma->end);
	if (proc_readlink(task->live, link, path, sizeof(path)) < 0)
		return err_errno("%s (%s) cannot be identified", what, name);
	snprintf(link, sizeof(link), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, task->live, vma->start, vma->end);
	if (map_files_refused || stat(link, &st) < 0) {
		fd = map_file_reach(&dump->tree, task, vma, path, &st, &copied);
		if (fd < 0)
			return err_errno("%s is %s, which cannot be reached any more", what, path);
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	}
	if (!S_ISREG(st.st_mode) && !is_plain_device(&st))
		return err_set(ENOTSUP, "%s is %s, a mapped device, which cannot be dumped", what, path);
	m = array_push(&mapped, &mapped_count, &mapped_room, sizeof(*mapped));
	*m = (struct mapped){ vma->dev, vma->inode, flags, next_id() };
	vma->file_id = m->id;
	if (find_path(dump, what, link, path, &st, m->id) < 0)
		return -1;
	reg = new_entry(m->id, path, &st, flags, 0, -1);
	note_build_id(reg, link, &st);
	if (flags == O_RDWR && st.st_nlink && mapped_copy_dump(dump, what, link, &st, reg) < 0)
		return -1;
	return regfile_write_entry(dump, reg);
}

int regfile_dump_link(struct dump *dump, struct task *task, const char *link, uint32_t *id)
{
	char what[64], path[4096], full[64];
	RegFileEntry *reg;
	struct stat st;

	snprintf(what, sizeof(what), "pid %d: its %s", task->pid, link);
	snprintf(full, sizeof(full), "/proc/%d/%s", task->live, link);
	if (proc_readlink(task->live, link, path, sizeof(path)) < 0 || stat(full, &st) < 0)
		return err_errno("%s cannot be read", what);
	if (S_ISREG(st.st_mode)) {
		/* The executable is mapped as well, nearly always. */
		for (size_t i = 0; i < mapped_count; i++)
			if (mapped[i].inode == st.st_ino && mapped[i].dev == st.st_dev && mapped[i].flags == O_RDONLY) {
				*id = mapped[i].id;
				return 0;
			}
	}
	*id = next_id();
	if (find_path(dump, what, full, path, &st, *id) < 0)
		return -1;
	reg = new_entry(*id, path, &st, O_RDONLY, 0, -1);
	note_build_id(reg, full, &st);
	return regfile_write_entry(dump, reg);
}

/* --- restore --- */

/* What differs, file after file. */
static char differences[ERR_TEXT_MAX - 128];
static size_t difference_count;

static void difference(const char *fmt, ...)
{
	size_t n = strlen(differences);
	va_list ap;

	va_start(ap, fmt);
	if (n < sizeof(differences) - 2) {
		n += snprintf(differences + n, sizeof(differences) - n, "%s", difference_count ? "; " : "");
		vsnprintf(differences + n, sizeof(differences) - n, fmt, ap);
	}
	va_end(ap);
	difference_count++;
}

int regfile_check_end(void)
{
	size_t count = difference_count;

	difference_count = 0;
	if (count)
		err_set(ESTALE, "%zu of the tree's files are not as they were dumped: %s", count, differences);
	differences[0] = 0;
	return count ? -1 : 0;
}

/* A file that has no build-id now is as good as its size. */
static bool same_build(const RegFileEntry *reg)
{
	uint32_t words[BUILD_ID_WORDS_MAX];
	size_t count = build_id_read(reg->name, words);

	return !count || (count == reg->n_build_id && !memcmp(words, reg->build_id, count * sizeof(*words)));
}

int regfile_check(struct restore *restore, FileEntry *entry)
{
	const RegFileEntry *reg = entry->reg;
	struct stat st;
	int copy;

	if (!reg)
		return err_set(EINVAL, "files.img: id %u has no reg_file_entry", entry->id);
	if (reg->name[0] != '/')
		return err_set(EINVAL, "files.img: id %u has the name \"%.200s\", which is no absolute path", entry->id, reg->name);
	if (reg->has_ext && reg->ext)
		return err_set(EINVAL, "%s was left to whoever restores (--external): give it with --inherit-fd fd[N]:%s", reg->name, reg->name);
	if (reg->pos > INT64_MAX && reg->pos != UINT64_MAX)
		return err_set(EINVAL, "files.img: %s at offset %" PRIu64, reg->name, reg->pos);
	if (remap_has(entry->id) || procfs_pid(reg->name))
		return 0;
	copy = mapped_copy_check(restore, reg);
	if (copy)
		return copy < 0 ? -1 : 0;
	if ((reg->has_mode && S_ISLNK(reg->mode) ? lstat(reg->name, &st) : stat(reg->name, &st)) < 0)
		difference("%s: %s", reg->name, strerror(errno));
	else if (reg->has_mode && (st.st_mode & S_IFMT) != (reg->mode & S_IFMT))
		difference("%s is another type of file now", reg->name);
	else if (reg->has_mode && st.st_mode != reg->mode && !restore->request->skip_file_rwx_check)
		difference("%s had mode %o, now %o", reg->name, reg->mode, st.st_mode);
	else if (reg->has_size && S_ISREG(st.st_mode) && (uint64_t)st.st_size != reg->size)
		difference("%s had %" PRIu64 " bytes, now %lld", reg->name, reg->size, (long long)st.st_size);
	else if (reg->n_build_id && S_ISREG(st.st_mode) && !restore->request->only_file_sizes && !same_build(reg))
		difference("%s is another build of the same size (its build-id differs)", reg->name);
	return 0;
}

/* Entries in /proc of the tree's own processes. */
static bool regfile_late(const struct restore *restore, const FileEntry *entry)
{
	pid_t pid = entry->reg ? procfs_pid(entry->reg->name) : 0;

	return pid && restore_find_task((struct restore *)restore, pid);
}

int regfile_open_entry(const RegFileEntry *reg)
{
	/* O_NONBLOCK: whatever has the name by now, opening it must not hang. */
	/* Packet mode of a FIFO (pipe2(2)) is no flag to open it with. */
	bool packets = reg->has_mode && S_ISFIFO(reg->mode) && reg->flags & O_DIRECT;
	int flags = (reg->flags & ~((packets ? O_DIRECT : 0) | O_CREAT | O_EXCL | O_TRUNC)) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	pid_t pid = procfs_pid(reg->name);
	/* Made without a name, it has one now. */
	bool tmpfile = (flags & O_TMPFILE) == O_TMPFILE;
	auto_fd fd = tmpfile ? open(reg->name, flags & ~O_TMPFILE) : pid && remap_is_dead(pid) ? procfs_open_dead(pid, reg->name, flags) : open(reg->name, flags);
	struct stat st;
	int result;

	if (fd < 0)
		return err_errno("cannot open %s", reg->name);
	if (fstat(fd, &st) < 0 || (reg->has_mode && (st.st_mode & S_IFMT) != (reg->mode & S_IFMT)))
		return err_set(ESTALE, "%s is another type of file now", reg->name);
	if (!(flags & O_PATH)) {
		if ((packets || !(reg->flags & O_NONBLOCK)) && fcntl(fd, F_SETFL, reg->flags) < 0)
			return err_errno("%s: cannot set its flags", reg->name);
		if (reg->pos && reg->pos != UINT64_MAX && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode) && lseek(fd, reg->pos, SEEK_SET) < 0)
			return err_errno("%s: cannot go to offset %" PRIu64, reg->name, reg->pos);
	}
	result = fd;
	fd = -1;
	return result;
}

static int regfile_open(struct restore *restore, FileEntry *entry)
{
	return regfile_open_entry(entry->reg);
}

int fown_restore(const FownEntry *fown, int fd)
{
	struct f_owner_ex owner = { 0 };
	int result, error;
	bool other;

	if (!fown || !fown->pid)
		return 0;
	owner.type = fown->pid_type == 0 ? F_OWNER_TID : fown->pid_type == 1 ? F_OWNER_PID : F_OWNER_PGRP;
	owner.pid = fown->pid;
	/* The kernel notes who sets the owner (fcntl(2), F_GETOWNER_UIDS): it sends signals with their rights. */
	other = fown->uid != getuid() || fown->euid != geteuid();
	if (other && setresuid(fown->uid, fown->euid, 0) < 0)
		return err_errno("cannot set its owner for signals as uid %u", fown->uid);
	result = fcntl(fd, F_SETOWN_EX, &owner);
	error = errno;
	if (other && setresuid(0, 0, 0) < 0)
		return err_errno("cannot become root again");
	errno = error;
	if (result < 0 || (fown->signum && fcntl(fd, F_SETSIG, fown->signum) < 0))
		return err_errno("cannot set pid %u as its owner for signals", fown->pid);
	return 0;
}

static int regfile_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->reg->fown, fd);
}

const struct fd_kind regfile_kind = {
	.type = FD_TYPES__REG,
	.name = "file",
	.recognise = regfile_recognise,
	.dump = regfile_dump,
	.dump_end = regfile_last,
	.collect = regfile_check,
	.late = regfile_late,
	.open = regfile_open,
	.settle = regfile_settle,
};
