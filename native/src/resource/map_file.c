/* SPDX-License-Identifier: MIT */
#include "resource/map_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

static bool is_file_of(const struct stat *st, const struct vma *vma)
{
	return st->st_ino == vma->inode && st->st_dev == vma->dev;
}

/* A descriptor of this task that is open on the file. */
static int find_descriptor(const struct task *task, const struct vma *vma)
{
	char path[64];
	struct dirent *d;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", task->live);
	dir = opendir(path);
	while (dir && fd < 0 && (d = readdir(dir))) {
		struct stat st;

		if (d->d_name[0] != '.' && fstatat(dirfd(dir), d->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) && is_file_of(&st, vma))
			fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

bool map_files_refused;

int map_file_open(const struct tree *tree, const struct task *task, const struct vma *vma)
{
	int fd = map_files_refused ? -1 : proc_open(task->live, O_RDONLY, "map_files/%" PRIx64 "-%" PRIx64, vma->start, vma->end);

	if (fd >= 0 || (!map_files_refused && errno != EPERM && errno != EACCES))
		return fd;
	map_files_refused = true;
	for (size_t i = 0; i < tree->count && fd < 0; i++)
		if (!tree->tasks[i]->zombie)
			fd = find_descriptor(tree->tasks[i], vma);
	if (fd < 0)
		errno = EPERM;
	return fd;
}

/* --- through memory --- */

/* Copies what the task maps of the file to its place in `to`. A page of a private mapping that the task has changed is taken only where
 * there is no other. Returns 0 or -1 with errno. */
static int copy_mappings(const struct task *task, const struct vma *vma, int to, bool changed)
{
	auto_free char *maps = proc_read(task->live, "maps", NULL);
	auto_fd pagemap = proc_open(task->live, O_RDONLY, "pagemap");
	char *save = NULL, page[PAGE];

	for (char *line = maps ? strtok_r(maps, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		uint64_t start, end, offset, inode;
		unsigned int dev_major, dev_minor;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64, &start, &end, &offset, &dev_major, &dev_minor, &inode) != 6 ||
		    inode != vma->inode || makedev(dev_major, dev_minor) != vma->dev)
			continue;
		for (uint64_t at = start; at < end; at += PAGE) {
			uint64_t entry = 0;
			ssize_t n;

			/* The kernel's admin-guide/mm/pagemap.rst: bit 63 present, 62 swapped, 61 a page of the file. */
			if (pread(pagemap, &entry, sizeof(entry), at / PAGE * sizeof(entry)) != sizeof(entry))
				return -1;
			if ((entry >> 62 && !(entry >> 61 & 1)) != changed)
				continue;
			n = pread(task->mem_fd, page, PAGE, at);
			/* Behind the end of the file there is nothing to read. */
			if (n == (ssize_t)PAGE && pwrite(to, page, PAGE, offset + (at - start)) != (ssize_t)PAGE)
				return -1;
		}
	}
	return 0;
}

static int copy_from_memory(const struct tree *tree, const struct vma *vma, struct stat *st)
{
	int fd = memfd_create("pcr-copy", MFD_CLOEXEC);

	for (int changed = 1; changed >= 0 && fd >= 0; changed--)
		for (size_t i = 0; i < tree->count; i++)
			if (!tree->tasks[i]->zombie && copy_mappings(tree->tasks[i], vma, fd, changed) < 0) {
				close(fd);
				return -1;
			}
	if (fd < 0 || fstat(fd, st) < 0)
		return -1;
	st->st_mode = S_IFREG | 0700;
	st->st_nlink = 0;
	st->st_ino = vma->inode;
	st->st_dev = vma->dev;
	return fd;
}

int map_file_reach(const struct tree *tree, const struct task *task, const struct vma *vma, const char *path, struct stat *st, bool *copied)
{
	int fd = map_file_open(tree, task, vma);

	*copied = false;
	if (fd < 0 && errno == EPERM) {
		fd = open(path, O_PATH | O_CLOEXEC);
		if (fd >= 0 && (fstat(fd, st) < 0 || st->st_ino != vma->inode || (S_ISREG(st->st_mode) && st->st_dev != vma->dev))) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		return fstat(fd, st) < 0 ? -1 : fd;
	pr_warn("pid %d: nothing leads to %s, mapped at 0x%" PRIx64 ", any more: what is mapped of it is kept, whole pages", task->pid, path,
		vma->start);
	*copied = true;
	return copy_from_memory(tree, vma, st);
}
