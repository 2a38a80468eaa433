/* SPDX-License-Identifier: MIT */
#include "resource/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/regfile.h"
#include "tree/dump.h"

static int add(struct request *r, int fd, const char *key)
{
	struct inherit_fd *new;

	for (size_t i = 0; i < r->inherit_fd_count; i++)
		if (!strcmp(r->inherit_fds[i].key, key))
			return err_set(EINVAL, "--inherit-fd gives two descriptors for %s", key);
	r->inherit_fds = xrealloc(r->inherit_fds, (r->inherit_fd_count + 1) * sizeof(*r->inherit_fds));
	new = &r->inherit_fds[r->inherit_fd_count++];
	new->fd = fd;
	new->key = xstrdup(key);
	return 0;
}

int inherit_parse(struct request *r, const char *text)
{
	int fd, used = 0;

	if (sscanf(text, "fd[%d]:%n", &fd, &used) != 1 || !used || !text[used])
		return err_set(EINVAL, "--inherit-fd takes fd[NUMBER]:KEY, not '%s'", text);
	if (fcntl(fd, F_GETFD) < 0)
		return err_errno("--inherit-fd: descriptor %d", fd);
	return add(r, fd, text + used);
}

int inherit_add(struct request *r, pid_t peer, int fd, const char *key)
{
	auto_fd pidfd = -1;
	int got;

	if (getppid() == peer) {
		if (fcntl(fd, F_GETFD) < 0)
			return err_errno("inherit_fd: descriptor %d", fd);
		return add(r, fd, key);
	}
	pidfd = pidfd_open(peer, 0);
	got = pidfd < 0 ? -1 : pidfd_getfd(pidfd, fd, 0);
	if (got < 0)
		return err_errno("inherit_fd: descriptor %d of process %d", fd, peer);
	return add(r, got, key);
}

int external_add(struct request *r, const char *key)
{
	static const char *const known[] = { "file[", "tty[", "unix[", "mnt[", "dev[", "net[", "pid[", "veth[", "macvlan[", "netdev[", "time[" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strncmp(key, known[i], strlen(known[i])))
			continue;
		r->external = xrealloc(r->external, (r->external_count + 1) * sizeof(*r->external));
		r->external[r->external_count++] = xstrdup(key);
		return 0;
	}
	return err_set(EINVAL, "--external %s: only file[MOUNT:INODE], tty[RDEV:DEV], unix[INODE], mnt[..], dev[..], net[..] and pid[..] are known", key);
}

/* --- dump --- */

static bool is_external(const struct dump *dump, const char *key)
{
	for (size_t i = 0; i < dump->request->external_count; i++)
		if (!strcmp(dump->request->external[i], key))
			return true;
	return false;
}

bool external_dump_file(const struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	char key[64];
	RegFileEntry *e;

	snprintf(key, sizeof(key), "file[%x:%" PRIx64 "]", info->mnt_id, (uint64_t)info->st.st_ino);
	if (!is_external(dump, key))
		return false;
	e = xzalloc(sizeof(*e));
	reg_file_entry__init(e);
	e->id = entry->id;
	e->flags = info->flags;
	e->pos = info->pos;
	e->fown = fown_dump(info->dup);
	e->name = xstrdup(key);
	e->has_ext = e->ext = true;
	e->has_mode = true;
	e->mode = info->st.st_mode;
	e->has_size = S_ISREG(info->st.st_mode);
	e->size = e->has_size ? info->st.st_size : 0;
	entry->type = FD_TYPES__REG;
	entry->reg = e;
	return true;
}

bool external_has_tty(const struct dump *dump, dev_t rdev, dev_t dev)
{
	char key[64];

	snprintf(key, sizeof(key), "tty[%" PRIx64 ":%" PRIx64 "]", (uint64_t)rdev, (uint64_t)dev);
	return is_external(dump, key);
}

/* --- restore --- */

static void make_key(struct restore *restore, const FileEntry *entry, const TtyInfoEntry *tty, char *key, size_t size)
{
	const struct restore_file *regf;

	*key = 0;
	if (entry->type == FD_TYPES__REG && entry->reg)
		snprintf(key, size, "%s", entry->reg->name);
	else if (entry->type == FD_TYPES__FIFO && (regf = entry->fifo && entry->fifo->has_regf_id ? restore_find_file(restore, entry->fifo->regf_id) : NULL))
		snprintf(key, size, "%s", regf->entry->reg ? regf->entry->reg->name : "");
	else if (entry->type == FD_TYPES__PIPE && entry->pipe)
		snprintf(key, size, "pipe:[%u]", entry->pipe->pipe_id);
	else if (entry->type == FD_TYPES__UNIXSK && entry->usk)
		snprintf(key, size, "socket:[%u]", entry->usk->ino);
	else if (entry->type == FD_TYPES__INETSK && entry->isk)
		snprintf(key, size, "socket:[%u]", entry->isk->ino);
	else if (tty)
		snprintf(key, size, "tty[%x:%x]", tty->rdev, tty->dev);
}

static const struct inherit_fd *find(struct restore *restore, const FileEntry *entry, const TtyInfoEntry *tty)
{
	char key[4096];

	if (!restore->request->inherit_fd_count)
		return NULL;
	make_key(restore, entry, tty, key, sizeof(key));
	for (size_t i = 0; *key && i < restore->request->inherit_fd_count; i++) {
		const struct inherit_fd *in = &restore->request->inherit_fds[i];

		/* A path may come without its first slash. */
		if (!strcmp(in->key, key) || (key[0] == '/' && !strcmp(in->key, key + 1)))
			return in;
	}
	return NULL;
}

bool inherit_has(struct restore *restore, const FileEntry *entry)
{
	return find(restore, entry, NULL) != NULL;
}

/* Of a pipe the caller may give either end. */
static int right_end(int fd, unsigned int flags)
{
	char path[32];
	int have = fcntl(fd, F_GETFL);

	if (have < 0 || (have & O_ACCMODE) == (int)(flags & O_ACCMODE))
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, (flags & (O_ACCMODE | O_NONBLOCK)) | O_CLOEXEC);
}

int inherit_open(struct restore *restore, const FileEntry *entry, const TtyInfoEntry *tty)
{
	const struct inherit_fd *in = find(restore, entry, tty);
	int fd;

	if (!in)
		return -1;
	if (entry->type == FD_TYPES__PIPE)
		fd = right_end(in->fd, entry->pipe->flags);
	else
		fd = fcntl(in->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_errno("cannot use descriptor %d for %s", in->fd, in->key);
	pr_info("descriptor %d takes the place of %s", in->fd, in->key);
	return fd;
}

static int open_inherited(struct restore *restore, FileEntry *entry)
{
	return inherit_open(restore, entry, NULL);
}

const struct fd_kind inherited_kind = {
	.name = "file of the caller",
	.open = open_inherited,
};
