/* SPDX-License-Identifier: MIT */
#include "resource/unixsk_bind.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/peer_user.h"
#include "resource/sk_diag.h"
#include "resource/unixsk.h"

/* linux/mount.h, which does not go with sys/mount.h here */
#define NEW_FS_CLOEXEC 1
#define NEW_FS_CREATE 6
#define NEW_MOUNT_CLOEXEC 1

/* An empty tmpfs that is mounted nowhere and goes when nobody has it open; -1: not made yet. */
static int nowhere = -1;

static int make_nowhere(void)
{
	auto_fd fs = -1;

	if (nowhere >= 0)
		return 0;
	fs = syscall(SYS_fsopen, "tmpfs", NEW_FS_CLOEXEC);
	if (fs < 0 || syscall(SYS_fsconfig, fs, NEW_FS_CREATE, NULL, NULL, 0) < 0 ||
	    (nowhere = syscall(SYS_fsmount, fs, NEW_MOUNT_CLOEXEC, 0)) < 0)
		return err_errno("a Unix socket whose file was deleted takes a file system to bind it in, which cannot be made");
	return 0;
}

/* Names bound there, to be removed: what is deleted has to look so. */
static char **bound_there;
static size_t bound_there_count, bound_there_room;

void unixsk_bind_end(void)
{
	for (size_t i = 0; i < bound_there_count; i++)
		unlinkat(nowhere, bound_there[i] + 1, 0);
	bound_there_count = 0;
	if (nowhere >= 0)
		close(nowhere);
	nowhere = -1;
}

/* Where names are looked up while one call is made. */
struct place {
	int cwd, root;
	bool moved;
	const char *name; /* NULL: the socket's own */
};

static int make_parents(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static int remember_place(struct place *place)
{
	place->moved = true;
	place->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	place->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return place->cwd < 0 || place->root < 0 ? err_errno("cannot open the working directory") : 0;
}

static void whole_name(const UnixSkEntry *e, char whole[PATH_MAX])
{
	snprintf(whole, PATH_MAX, "%s%s%.*s", e->name.data[0] == '/' ? "" : e->name_dir, e->name.data[0] == '/' ? "" : "/", (int)e->name.len,
		 (const char *)e->name.data);
}

/* To where the file is now, for which its last part is a name. */
static int enter_renamed(struct place *place, const UnixSkEntry *e)
{
	const char *slash = strrchr(e->pcr_path, '/');
	auto_free char *directory = xasprintf("%.*s/", (int)(slash - e->pcr_path), e->pcr_path);

	place->name = slash + 1;
	if (remember_place(place) < 0)
		return -1;
	return chdir(directory) < 0 ? err_errno("the directory %s of a Unix socket cannot be entered", directory) : 0;
}

/* base: a directory in which a deleted name is looked up, or -1. */
static int enter_in(struct place *place, const UnixSkEntry *e, int base)
{
	bool path = e->name.len && e->name.data[0];
	char whole[PATH_MAX];

	place->moved = path && (e->deleted || e->name.data[0] != '/');
	if (!place->moved)
		return 0;
	whole_name(e, whole);
	if (remember_place(place) < 0)
		return -1;
	if (e->deleted && ((base < 0 && make_nowhere() < 0) || fchdir(base < 0 ? nowhere : base) < 0 || chroot(".") < 0 || make_parents(whole) < 0))
		return err_code() ? -1 : err_errno("a Unix socket whose file was deleted or renamed (%s) cannot be bound apart", whole);
	if (e->deleted && base < 0)
		*(char **)array_push(&bound_there, &bound_there_count, &bound_there_room, sizeof(char *)) = xstrdup(whole);
	if (e->name.data[0] != '/' && chdir(e->name_dir) < 0)
		return err_errno("the directory %s of the Unix socket %s cannot be entered", e->name_dir, e->name.data);
	return 0;
}

static int enter(struct place *place, const UnixSkEntry *e)
{
	return e->pcr_path ? enter_renamed(place, e) : enter_in(place, e, -1);
}

static int leave(struct place *place)
{
	int result = 0;

	if (!place->moved)
		return 0;
	if (fchdir(place->root) < 0 || chroot(".") < 0 || fchdir(place->cwd) < 0)
		result = err_errno("cannot go back to the working directory");
	close(place->root);
	close(place->cwd);
	return result;
}

static socklen_t make_address(struct sockaddr_un *address, const UnixSkEntry *e, const char *name)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (name) {
		strncpy(address->sun_path, name, sizeof(address->sun_path) - 1);
		return sizeof(*address);
	}
	memcpy(address->sun_path, e->name.data, e->name.len);
	return offsetof(struct sockaddr_un, sun_path) + e->name.len;
}

/* For messages: abstract names as ss(8) shows them. */
static const char *show(const UnixSkEntry *e)
{
	static char text[160];

	snprintf(text, sizeof(text), "%s%.*s", e->name.data[0] ? "" : "@", (int)e->name.len - !e->name.data[0],
		 (const char *)e->name.data + !e->name.data[0]);
	return text;
}

static int is_bound_here(const struct nlmsghdr *answer, void *arg)
{
	const struct stat *st = arg;
	const struct unix_diag_msg *msg = NLMSG_DATA(answer);
	size_t n;
	const struct unix_diag_vfs *vfs = sk_diag_attribute(answer, sizeof(*msg), UNIX_DIAG_VFS, &n);

	/* The kernel's own form of a device number: 20 bits for the minor one. */
	if (vfs && n >= sizeof(*vfs) && vfs->udiag_vfs_ino == (uint32_t)st->st_ino &&
	    vfs->udiag_vfs_dev == (major(st->st_dev) << 20 | minor(st->st_dev)) &&
	    (msg->udiag_state == UNIXSK_LISTEN || msg->udiag_type == SOCK_DGRAM))
		return err_set(EADDRINUSE, "socket:[%u] of another process is bound to it", msg->udiag_ino);
	return 0;
}

/* The file of a socket that nobody has open any more, as the dumped tree left it behind. */
static int remove_stale(const char *path)
{
	struct unix_diag_req request = { .sdiag_family = AF_UNIX, .udiag_states = ~0U, .udiag_show = UDIAG_SHOW_VFS };
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno("the Unix socket %s cannot be bound", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(EEXIST, "the Unix socket %s cannot be bound: a file of another type has that name", path);
	if (sk_diag_dump(&request, sizeof(request), is_bound_here, &st) < 0)
		return err_context("the Unix socket %s cannot be bound", path);
	if (unlink(path) < 0)
		return err_errno("the stale Unix socket %s cannot be removed", path);
	return 0;
}

static int bind_here(int fd, const UnixSkEntry *e)
{
	struct sockaddr_un address;
	socklen_t length = make_address(&address, e, NULL);
	bool path = e->name.data[0];

	if (path && e->deleted)
		unlink((const char *)e->name.data); /* the same name again, in a file system that is ours alone */
	else if (path && remove_stale((const char *)e->name.data) < 0)
		return -1;
	if (bind(fd, (void *)&address, length) < 0)
		return err_errno("the Unix socket %s cannot be bound", show(e));
	if (!path || (e->deleted && !e->pcr_path) || !e->file_perms)
		return 0;
	if (chown(address.sun_path, e->file_perms->uid, e->file_perms->gid) < 0 || chmod(address.sun_path, e->file_perms->mode & 07777) < 0)
		return err_errno("the Unix socket %s cannot be given to uid %u with mode 0%o", show(e), e->file_perms->uid,
				 e->file_perms->mode & 07777);
	return 0;
}

/* In a directory beside its place now, where its old name is free, and then moved. */
static int bind_renamed(int fd, const UnixSkEntry *e)
{
	struct place place = { -1, -1, false, NULL };
	auto_free char *apart = xasprintf("%.*s/.pcr-socket.%d.%u", (int)(strrchr(e->pcr_path, '/') - e->pcr_path), e->pcr_path, getpid(), e->ino);
	auto_fd base = -1;
	char whole[PATH_MAX];
	int result = -1;

	whole_name(e, whole);
	if (remove_stale(e->pcr_path) < 0)
		return -1;
	if (mkdir(apart, 0700) < 0 || (base = open(apart, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_errno("the Unix socket %s cannot be bound: a directory beside it cannot be made", e->pcr_path);
	if (enter_in(&place, e, base) == 0)
		result = bind_here(fd, e);
	if (leave(&place) < 0)
		result = -1;
	if (!result && renameat(base, whole + 1, AT_FDCWD, e->pcr_path) < 0)
		result = err_errno("the Unix socket %s cannot be given this name again", e->pcr_path);
	unlinkat(base, whole + 1, 0);
	for (char *slash = strrchr(whole, '/'); slash && slash > whole; slash = strrchr(whole, '/')) {
		*slash = 0;
		unlinkat(base, whole + 1, AT_REMOVEDIR);
	}
	rmdir(apart);
	return result;
}

int unixsk_bind(int fd, const UnixSkEntry *e)
{
	struct place place = { -1, -1, false, NULL };
	int result;

	if (e->pcr_path)
		return bind_renamed(fd, e);
	result = enter(&place, e);
	if (!result)
		result = bind_here(fd, e);
	return leave(&place) < 0 ? -1 : result;
}

/* That user may have been allowed to then and not now: it is tried again as whoever we are. */
static int connect_as(const UnixSkEntry *as, int fd, const struct sockaddr_un *address, socklen_t length)
{
	struct peer_user was;
	int result;

	peer_user_enter(as, &was);
	result = connect(fd, (void *)address, length);
	peer_user_leave(&was);
	return result < 0 && was.changed && (errno == EACCES || errno == EPERM) ? connect(fd, (void *)address, length) : result;
}

int unixsk_connect(int fd, const UnixSkEntry *to, const UnixSkEntry *as)
{
	struct place place = { -1, -1, false, NULL };
	struct sockaddr_un address;
	int result = enter(&place, to);
	socklen_t length = make_address(&address, to, place.name);

	if (!result && connect_as(as, fd, &address, length) < 0)
		result = err_errno("cannot connect to the Unix socket %s", show(to));
	return leave(&place) < 0 ? -1 : result;
}

int unixsk_send(struct restore *restore, const struct sk_packet *packet, int fd, const UnixSkEntry *to)
{
	struct place place = { -1, -1, false, NULL };
	struct sockaddr_un address;
	socklen_t length;
	int result;

	if (!to)
		return sk_queue_send(restore, packet, fd, NULL, 0);
	if (!to->name.len)
		return err_set(EINVAL, "sk-queues.img: data for a Unix socket that has no name and no peer");
	result = enter(&place, to);
	length = make_address(&address, to, place.name);
	if (!result)
		result = sk_queue_send(restore, packet, fd, &address, length);
	return leave(&place) < 0 ? -1 : result;
}

void unixsk_send_room(int fd, uint32_t more)
{
	int queued = 0, size;

	ioctl(fd, SIOCOUTQ, &queued);
	/* What a message takes in the kernel, generously; its options are set when all queues are filled. */
	size = queued + more * 2 + 65536;
	if (size < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}
