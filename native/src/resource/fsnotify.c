/* SPDX-License-Identifier: MIT */
#include "resource/fsnotify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/inode_search.h"
#include "resource/remap.h"

/* fh_entry.handle of real images */
#define HANDLE_WORDS 16

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A line of /proc/self/mountinfo (proc_pid_mountinfo(5)): wanted by id, or by device. Of a device the mount that shows the whole of its
 * tree is best, but a container may have none: any other leads to the same file system. */
static char *find_mount(uint32_t dev, int mnt_id)
{
	auto_file *f = fopen("/proc/self/mountinfo", "re");
	auto_free char *line = NULL, *part = NULL;
	size_t room = 0;
	char *found;

	while (f && getline(&line, &room, f) > 0) {
		char root[4096], at[4096];
		unsigned int major_nr, minor_nr;
		int id;

		if (sscanf(line, "%d %*d %u:%u %4095s %4095s", &id, &major_nr, &minor_nr, root, at) != 5)
			continue;
		if (mnt_id >= 0 ? id == mnt_id : (major_nr << 20 | minor_nr) == dev && !strcmp(root, "/"))
			return xstrdup(at);
		if (mnt_id < 0 && !part && (major_nr << 20 | minor_nr) == dev && is_directory(at))
			part = xstrdup(at);
	}
	found = part;
	part = NULL;
	return found;
}

/* The file of a handle, opened O_PATH. Returns -1 with errno. */
static int open_handle(const FhEntry *e, uint32_t dev)
{
	auto_free char *at = find_mount(dev, -1);
	auto_fd mount = at ? open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct {
		struct file_handle head;
		unsigned char bytes[HANDLE_WORDS * 8];
	} handle = { 0 };

	if (mount < 0 || e->bytes > e->n_handle * 8 || e->bytes > sizeof(handle.bytes)) {
		errno = at ? EINVAL : ENODEV;
		return -1;
	}
	handle.head.handle_bytes = e->bytes;
	handle.head.handle_type = e->type;
	memcpy(handle.head.f_handle, e->handle, e->bytes);
	return open_by_handle_at(mount, &handle.head, O_PATH | O_CLOEXEC);
}

FhEntry *fsnotify_dump_handle(pid_t pid, const char *what, const char *line, uint32_t dev, uint64_t inode)
{
	const char *text = strstr(line, "fhandle-bytes:");
	FhEntry *e = xzalloc(sizeof(*e));
	unsigned int bytes, type;
	char link[64], path[4096];
	auto_fd fd = -1;
	ssize_t n = -1;
	int at = 0;

	fh_entry__init(e);
	e->handle = xzalloc(HANDLE_WORDS * 8);
	e->n_handle = HANDLE_WORDS;
	if (!text || sscanf(text, "fhandle-bytes:%x fhandle-type:%x f_handle:%n", &bytes, &type, &at) != 2 || !at || bytes > HANDLE_WORDS * 8) {
		err_set(ENOTSUP, "%s watches a file that cannot be identified: %.80s", what, line);
		goto bad;
	}
	e->bytes = bytes;
	e->type = type;
	text += at;
	for (unsigned int i = 0; i < bytes; i++) {
		unsigned int byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
			err_set(EIO, "%s: the watch cannot be read: %.80s", what, line);
			goto bad;
		}
		((unsigned char *)e->handle)[i] = byte;
	}
	fd = open_handle(e, dev);
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof(path) - 1);
	}
	if (n > 0) {
		path[n] = 0;
		e->path = xstrdup(path);
		return e;
	}
	e->path = inode_search(pid, dev, inode);
	if (e->path)
		return e;
	err_set(ENOENT, "%s watches a file whose path cannot be found (device 0x%x, inode %llu): run pcr as root or with CAP_DAC_READ_SEARCH", what, dev,
		(unsigned long long)inode);
bad:
	fh_entry__free_unpacked(e, NULL);
	return NULL;
}

char *fsnotify_mount_path(const char *what, int mnt_id)
{
	char *path = find_mount(0, mnt_id);

	if (!path)
		err_set(ENOTSUP, "%s watches mount %d, which is not visible here", what, mnt_id);
	return path;
}

int fsnotify_find(const struct restore *restore, const FhEntry *e, uint32_t dev, uint64_t ino, char *buffer, size_t size, int *fd)
{
	int ghost = remap_find_ghost(restore, dev, ino);
	struct stat st;

	*fd = -1;
	if (ghost >= 0) {
		snprintf(buffer, size, "/proc/self/fd/%d", ghost);
		return 0;
	}
	if (e->path && *e->path == '/' && lstat(e->path, &st) == 0 && strlen(e->path) < size) {
		snprintf(buffer, size, "%s", e->path);
		return 0;
	}
	*fd = open_handle(e, dev);
	if (*fd < 0)
		return err_errno("a watched file (%s) cannot be found again", e->path ? e->path : "of unknown path");
	snprintf(buffer, size, "/proc/self/fd/%d", *fd);
	return 0;
}
