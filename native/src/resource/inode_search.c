/* SPDX-License-Identifier: MIT */
#include "resource/inode_search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/util.h"

#define ENTRIES_MAX 200000 /* looked at: half a second, and the tree is frozen */
#define DEPTH_MAX 32

static const char *const places[] = { "/etc", "/run", "/var/run", "/tmp", "/var/tmp", "/dev", "/dev/shm", "/usr/share", "/usr/local", "/opt",
				      "/srv", "/home", "/var", "/usr/lib", "/usr/bin" };

struct search {
	uint32_t dev;
	uint64_t inode;
	size_t left; /* entries that may still be looked at */
	char path[4096];
};

static bool is_it(const struct search *s, const struct stat *st)
{
	return st->st_ino == s->inode && (major(st->st_dev) << 20 | minor(st->st_dev)) == s->dev;
}

/* s->path names the directory `fd`, which is closed. Whether the file is below it; then s->path names it. Stays within the file system. */
static bool below(struct search *s, int fd, int depth)
{
	size_t length = strlen(s->path);
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	struct stat st;
	bool found = false;

	if (!dir) {
		close(fd);
		return false;
	}
	while (!found && s->left && (d = readdir(dir))) {
		int inner;

		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		s->left--;
		/* The number in the directory is that of the file, but for mount points and some stacked file systems. */
		if (d->d_ino != s->inode && d->d_type != DT_DIR && d->d_type != DT_UNKNOWN)
			continue;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    (size_t)snprintf(s->path + length, sizeof(s->path) - length, "/%s", d->d_name) >= sizeof(s->path) - length)
			continue;
		if (is_it(s, &st)) {
			found = true;
			break;
		}
		if (S_ISDIR(st.st_mode) && (major(st.st_dev) << 20 | minor(st.st_dev)) == s->dev && depth < DEPTH_MAX &&
		    (inner = openat(dirfd(dir), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) >= 0)
			found = below(s, inner, depth + 1);
	}
	if (!found)
		s->path[length] = 0;
	closedir(dir);
	return found;
}

static bool in_place(struct search *s, const char *place)
{
	int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || (size_t)snprintf(s->path, sizeof(s->path), "%s", strcmp(place, "/") ? place : "") >= sizeof(s->path)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (is_it(s, &st)) {
		close(fd);
		if (!*s->path)
			strcpy(s->path, "/");
		return true;
	}
	return below(s, fd, 0);
}

char *inode_search(pid_t pid, uint32_t dev, uint64_t inode)
{
	struct search s = { .dev = dev, .inode = inode, .left = ENTRIES_MAX };
	char cwd[4096];
	struct stat st;

	if (proc_readlink(pid, "cwd", cwd, sizeof(cwd)) > 0 && cwd[0] == '/' && strcmp(cwd, "/") && in_place(&s, cwd))
		return xstrdup(s.path);
	if (stat("/", &st) == 0 && is_it(&s, &st))
		return xstrdup("/");
	for (size_t i = 0; i < ARRAY_LEN(places) && s.left; i++)
		if (in_place(&s, places[i]))
			return xstrdup(s.path);
	errno = ENOENT;
	return NULL;
}
