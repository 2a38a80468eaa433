/* SPDX-License-Identifier: MIT
 *
 * Dumping Unix sockets. Who is connected to whom only unix_diag tells (linux/unix_diag.h), all else is read from the same open file
 * by a descriptor of ours. A connection can be kept when both its ends are in the tree.
 */
#include "resource/unixsk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <poll.h>
#include <search.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/ghost.h"
#include "resource/peer_user.h"
#include "resource/regfile.h"
#include "resource/sk_diag.h"
#include "resource/sk_opts.h"
#include "resource/sk_queue.h"
#include "resource/unixsk_service.h"
#include "tree/dump.h"

#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)
#endif

/* A Unix socket of this network namespace, as unix_diag shows it. */
struct known {
	uint32_t inode;
	uint8_t type, state, shutdown;
	bool has_peer; /* connected; peer 0: to one without an inode, closed or not yet accepted */
	bool in_tree;
	uint32_t peer;
	uint32_t waits_for; /* listener in whose backlog its connection is; 0: none */
	uint32_t rqueue, wqueue;
	uint32_t file_inode, file_dev; /* of the file that it is bound to, as the kernel has them; 0: none */
	size_t name_length;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* The sockets of the tree, until the dump ends. */
static struct seen {
	struct known *known;
	char *what; /* "pid 7: descriptor 3 (socket:[123])" */
	FileEntry *entry; /* until it is written */
	uint32_t id;
	int dup; /* -1: its queue is empty */
} *seen;
static size_t seen_count, seen_room;

static void *known; /* tsearch tree by inode */
static bool asked;

static int compare_inodes(const void *a, const void *b)
{
	uint32_t x = ((const struct known *)a)->inode, y = ((const struct known *)b)->inode;

	return (x > y) - (x < y);
}

static struct known *find_known(uint32_t inode)
{
	struct known key = { .inode = inode }, **found = tfind(&key, &known, compare_inodes);

	return found ? *found : NULL;
}

/* Clients whose connections wait, by listener. */
static struct waiting {
	uint32_t client, listener;
} *waiting;
static size_t waiting_count, waiting_room;

static int add_known(const struct nlmsghdr *answer, void *arg)
{
	const struct unix_diag_msg *msg = NLMSG_DATA(answer);
	const struct unix_diag_rqlen *rqlen;
	const struct unix_diag_vfs *vfs;
	struct known *k;
	const void *data;
	size_t n;

	if (!msg->udiag_ino)
		return 0;
	k = xzalloc(sizeof(*k));
	k->inode = msg->udiag_ino;
	k->type = msg->udiag_type;
	k->state = msg->udiag_state;
	if ((data = sk_diag_attribute(answer, sizeof(*msg), UNIX_DIAG_PEER, &n)) && n >= 4) {
		k->has_peer = true;
		k->peer = *(const uint32_t *)data;
	}
	if ((data = sk_diag_attribute(answer, sizeof(*msg), UNIX_DIAG_SHUTDOWN, &n)) && n >= 1)
		k->shutdown = *(const uint8_t *)data;
	if ((rqlen = sk_diag_attribute(answer, sizeof(*msg), UNIX_DIAG_RQLEN, &n)) && n >= sizeof(*rqlen)) {
		k->rqueue = rqlen->udiag_rqueue;
		k->wqueue = rqlen->udiag_wqueue;
	}
	if ((vfs = sk_diag_attribute(answer, sizeof(*msg), UNIX_DIAG_VFS, &n)) && n >= sizeof(*vfs)) {
		k->file_inode = vfs->udiag_vfs_ino;
		k->file_dev = vfs->udiag_vfs_dev;
	}
	if ((data = sk_diag_attribute(answer, sizeof(*msg), UNIX_DIAG_NAME, &n)) && n <= sizeof(k->name)) {
		k->name_length = n;
		memcpy(k->name, data, n);
	}
	if ((data = sk_diag_attribute(answer, sizeof(*msg), UNIX_DIAG_ICONS, &n)))
		for (size_t i = 0; i < n / 4; i++)
			*(struct waiting *)array_push(&waiting, &waiting_count, &waiting_room, sizeof(*waiting)) =
				(struct waiting){ ((const uint32_t *)data)[i], k->inode };
	if (*(struct known **)tsearch(k, &known, compare_inodes) != k)
		free(k);
	return 0;
}

static int ask(void)
{
	struct unix_diag_req request = {
		.sdiag_family = AF_UNIX,
		.udiag_states = ~0U,
		.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN,
	};

	if (asked)
		return 0;
	asked = true;
	if (sk_diag_dump(&request, sizeof(request), add_known, NULL) < 0)
		return -1;
	for (size_t i = 0; i < waiting_count; i++) {
		struct known *client = find_known(waiting[i].client);

		if (client)
			client->waits_for = waiting[i].listener;
	}
	return 0;
}

static bool unixsk_recognise(const struct fd_info *info)
{
	return sk_family(info) == AF_UNIX;
}

/* --- names --- */

/* The file of this name, if the socket is bound to that: -1 otherwise. */
static int open_if_bound(const char *path, const struct known *k)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || (uint32_t)st.st_ino != k->file_inode || ghost_dev(st.st_dev) != k->file_dev)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The file of the socket under another name in the same directory, whose path ends with a name: -1 when it is not there. */
static int open_beside(const char *path, const struct known *k)
{
	auto_free char *directory = xasprintf("%.*s", (int)(strrchr(path, '/') - path + 1), path);
	const struct dirent *d;
	int fd = -1;
	DIR *dir = opendir(directory);

	while (dir && fd < 0 && (d = readdir(dir))) {
		auto_free char *other = xasprintf("%s%s", directory, d->d_name);

		if ((uint32_t)d->d_ino == k->file_inode)
			fd = open_if_bound(other, k);
	}
	if (dir)
		closedir(dir);
	return fd;
}

/* What the socket is bound to, an O_PATH descriptor, or -1: SIOCUNIXFILE (since Linux 4.15) takes CAP_NET_ADMIN. Without that its name is tried
 * where the task, or one above it, is or is rooted, and what is beside it
 * there. */
static int bound_file(const struct fd_info *info, const char *name)
{
	const struct known *k = find_known(info->st.st_ino);
	int fd = ioctl(info->dup, SIOCUNIXFILE);

	if (fd >= 0 || errno != EPERM || !k || !k->file_inode)
		return fd;
	for (const struct task *task = info->task; task && fd < 0; task = task->parent) {
		auto_free char *path = xasprintf(name[0] == '/' ? "/proc/%d/root%s" : "/proc/%d/cwd/%s", task->live, name);

		fd = open_if_bound(path, k);
		if (fd < 0)
			fd = open_beside(path, k);
	}
	return fd;
}

/* Whether the name, looked up in the directory, is that file. */
static bool leads_to(const char *directory, const char *name, int file)
{
	auto_fd at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat there, wanted;

	return at >= 0 && !fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) && !fstat(file, &wanted) && there.st_dev == wanted.st_dev &&
	       there.st_ino == wanted.st_ino;
}

/* A relative name says nothing without its directory, which may have been left since: what is in front of the name in the path of the
 * file or, where .. or a link is in the name, a directory on that path from which it leads to the file. */
static int dump_name_dir(const struct fd_info *info, UnixSkEntry *e, const char *name, int file, const char *what)
{
	const char *deleted = " (deleted)", *plain = name;
	char link[32], path[4096];
	size_t length, whole;

	snprintf(link, sizeof(link), "fd/%d", file);
	if (file < 0 || proc_readlink(getpid(), link, path, sizeof(path)) < 0)
		return err_set(ENOTSUP, "%s is bound to the relative name %s, whose directory cannot be found out%s", what, name,
			       file < 0 && errno == EPERM ? " (the process has left it, and asking for it takes CAP_NET_ADMIN)" : "");
	whole = strlen(path);
	if (whole > strlen(deleted) && !strcmp(path + whole - strlen(deleted), deleted))
		path[whole -= strlen(deleted)] = 0;
	while (plain[0] == '.' && plain[1] == '/')
		plain += 1 + strspn(plain + 1, "/");
	length = strlen(plain);
	if (whole > length && !strcmp(path + whole - length, plain) && path[whole - length - 1] == '/') {
		path[whole - length - 1] = 0;
		e->name_dir = xstrdup(path[0] ? path : "/");
		return 0;
	}
	for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
		*slash = 0;
		if (leads_to(path[0] ? path : "/", name, file)) {
			e->name_dir = xstrdup(path[0] ? path : "/");
			return 0;
		}
	}
	return err_set(ENOTSUP, "%s is bound to the relative name %s, whose directory cannot be found: connect or bind by an absolute name", what, name);
}

/* Where the file is now; NULL: nowhere. Daemons bind a socket apart and give it its name when it listens. */
static char *renamed_to(int file)
{
	struct stat st, now;
	char link[32], path[4096];

	snprintf(link, sizeof(link), "fd/%d", file);
	if (file < 0 || fstat(file, &st) < 0 || !st.st_nlink || proc_readlink(getpid(), link, path, sizeof(path)) < 0 || lstat(path, &now) < 0 ||
	    now.st_ino != st.st_ino || now.st_dev != st.st_dev || strlen(strrchr(path, '/')) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return NULL;
	return xstrdup(path);
}

/* The file of a name that is a path: its mode and owner, and whether the path still leads to it. */
static int dump_file(const struct fd_info *info, UnixSkEntry *e, const char *what)
{
	auto_free char *name = xzalloc(e->name.len + 1), *path = NULL;
	auto_fd file = -1;
	struct stat st, now;

	memcpy(name, e->name.data, e->name.len);
	file = bound_file(info, name);
	if (name[0] != '/' && dump_name_dir(info, e, name, file, what) < 0)
		return -1;
	path = e->name_dir ? xasprintf("%s/%s", e->name_dir, name) : xasprintf("/proc/%d/root%s", info->task->live, name);
	if (file >= 0 ? fstat(file, &st) < 0 : stat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return err_errno("%s: its name %s cannot be looked at", what, name);
		e->has_deleted = e->deleted = true;
		return 0;
	}
	e->file_perms = xzalloc(sizeof(*e->file_perms));
	file_perms_entry__init(e->file_perms);
	e->file_perms->mode = st.st_mode;
	e->file_perms->uid = st.st_uid;
	e->file_perms->gid = st.st_gid;
	if (stat(path, &now) < 0 || now.st_ino != st.st_ino || now.st_dev != st.st_dev) {
		e->has_deleted = e->deleted = true;
		e->pcr_path = renamed_to(file);
	}
	return 0;
}

/* --- one socket --- */

static int check_state(const struct fd_info *info, const struct known *k, const char *what)
{
	struct pollfd p = { .fd = info->dup, .events = POLLPRI };

	if (k->type != SOCK_STREAM && k->type != SOCK_DGRAM && k->type != SOCK_SEQPACKET)
		return err_set(ENOTSUP, "%s is a Unix socket of type %d, which cannot be dumped", what, k->type);
	if (k->state != UNIXSK_ESTABLISHED && k->state != UNIXSK_CLOSE && k->state != UNIXSK_LISTEN)
		return err_set(EAGAIN, "%s is a Unix socket on its way into a connection (state %d): dump again", what, k->state);
	if (poll(&p, 1, 0) > 0 && p.revents & POLLPRI)
		return err_set(ENOTSUP, "%s has out-of-band data in its queue, which cannot be dumped", what);
	if (k->waits_for && k->wqueue)
		return err_set(ENOTSUP, "%s has sent data over a connection that has not been accepted yet (by socket:[%u]): dump when it has", what,
			       k->waits_for);
	return 0;
}

/* The connection over which this process asked for the dump: only that it is one. */
static int dump_service(const struct fd_info *info, UnixSkEntry *e, uint32_t inode)
{
	e->ino = inode;
	e->type = SOCK_SEQPACKET;
	e->state = UNIXSK_CLOSE;
	e->flags = info->flags;
	e->uflags = UNIXSK_SERVICE;
	e->fown = fown_dump(info->dup);
	e->opts = sk_opts_dump(info);
	return e->opts ? 0 : -1;
}

static int unixsk_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	UnixSkEntry *e = xzalloc(sizeof(*e));
	char what[96];
	struct known *k;
	struct seen *s;

	unix_sk_entry__init(e);
	entry->usk = e;
	e->id = entry->id;
	snprintf(what, sizeof(what), "pid %d: descriptor %d (%.40s)", info->task->pid, info->fd, info->link);
	if (ask() < 0)
		return -1;
	k = find_known(info->st.st_ino);
	if (!k)
		return err_set(ENOTSUP, "%s is a Unix socket of another network namespace, or it changes right now: dump again", what);
	if (check_state(info, k, what) < 0)
		return -1;
	k->in_tree = true;
	if (dump->request->service_inode && k->inode == dump->request->service_inode)
		return dump_service(info, e, k->inode);
	e->id = entry->id;
	e->ino = k->inode;
	e->type = k->type;
	e->state = k->state;
	e->flags = info->flags;
	e->backlog = k->wqueue;
	e->peer = k->waits_for ? k->waits_for : k->peer;
	e->has_pcr_peer_gone = e->pcr_peer_gone = k->type == SOCK_DGRAM && k->has_peer && !k->peer;
	e->fown = fown_dump(info->dup);
	e->opts = sk_opts_dump(info);
	if (!e->opts)
		return -1;
	e->has_shutdown = k->shutdown != 0;
	e->shutdown = k->shutdown; /* unix_diag's bits are enum sk_shutdown */
	e->has_ns_id = true;
	e->ns_id = dump->namespaces.net_ns_id;
	e->name.len = k->name_length;
	e->name.data = xzalloc(k->name_length + 1);
	memcpy(e->name.data, k->name, k->name_length);
	if (k->name_length && k->name[0] && dump_file(info, e, what) < 0)
		return -1;
	peer_user_dump(info->dup, e);
	s = array_push(&seen, &seen_count, &seen_room, sizeof(*seen));
	s->known = k;
	s->id = e->id;
	s->entry = entry;
	s->what = xstrdup(what);
	/* Data or an end: of some kinds of messages nothing else tells. */
	s->dup = k->state != UNIXSK_LISTEN && poll(&(struct pollfd){ .fd = info->dup, .events = POLLIN }, 1, 0) > 0 ?
			 fcntl(info->dup, F_DUPFD_CLOEXEC, 0) :
			 -1;
	return 1;
}

/* --- all sockets --- */

/* A datagram socket outside that one in the tree sends to: known by its name, which it must have again at restore. */
static int write_external(struct dump *dump, const struct known *k)
{
	FileEntry entry = FILE_ENTRY__INIT;
	UnixSkEntry e = UNIX_SK_ENTRY__INIT;
	FownEntry fown = FOWN_ENTRY__INIT;
	SkOptsEntry opts = SK_OPTS_ENTRY__INIT;

	entry.type = FD_TYPES__UNIXSK;
	entry.usk = &e;
	entry.id = e.id = next_id();
	e.ino = k->inode;
	e.type = k->type;
	e.state = UNIXSK_LISTEN; /* as real CRIU writes them */
	e.uflags = UNIXSK_EXTERNAL;
	e.fown = &fown;
	e.opts = &opts;
	e.name.data = (void *)k->name;
	e.name.len = k->name_length;
	return img_write(dump->files, &entry.base);
}

static int check_peer(struct dump *dump, const struct seen *s)
{
	uint32_t inode = s->known->waits_for ? s->known->waits_for : s->known->peer;
	struct known *peer = inode ? find_known(inode) : NULL;
	char name[128] = "no name";

	if (!inode || (peer && peer->in_tree))
		return 0;
	if (!peer)
		return err_set(EAGAIN, "%s: its peer socket:[%u] is not known: dump again", s->what, inode);
	if (peer->name_length)
		snprintf(name, sizeof(name), "%s%.*s", peer->name[0] ? "" : "@", (int)peer->name_length - !peer->name[0],
			 peer->name + !peer->name[0]);
	if (peer->type != SOCK_DGRAM)
		return err_set(ENOTSUP,
			       "%s is a Unix socket connected to one outside the tree (socket:[%u], %s): close it before the dump, or dump both ends",
			       s->what, inode, name);
	if (!peer->name_length)
		return err_set(ENOTSUP, "%s is a Unix datagram socket connected to one outside the tree that has no name (socket:[%u])", s->what,
			       inode);
	if (!request_ext_unix_sk(dump->request, s->known->inode))
		return err_set(ENOTSUP,
			       "%s is a Unix datagram socket connected to %s, outside the tree: --ext-unix-sk lets it be connected again at restore",
			       s->what, name);
	peer->in_tree = true;
	return write_external(dump, peer);
}

/* Connections that nobody has accepted: their other ends have to be in the tree, and to be there. */
static int check_backlog(struct dump *dump, const struct seen *s)
{
	for (size_t i = 0; i < waiting_count; i++) {
		struct known *client = waiting[i].client ? find_known(waiting[i].client) : NULL;

		if (waiting[i].listener != s->known->inode || (client && client->in_tree))
			continue;
		if (dump->request->tcp_skip_in_flight)
			pr_warn("%s: a connection that waits to be accepted by it will be missing after a restore", s->what);
		else if (client)
			return err_set(ENOTSUP, "%s listens, and a process outside the tree (socket:[%u]) waits to be accepted: dump when it has been, or leave "
				       "the connection out with --skip-in-flight", s->what, waiting[i].client);
		else
			return err_set(ENOTSUP, "%s listens, and a connection waits to be accepted whose client has closed it already: dump when it has been, or "
				       "leave it out with --skip-in-flight", s->what);
	}
	return 0;
}

/* Real CRIU wants both ends of a pair in a row, the one met first behind the other. */
static int write_entry(struct dump *dump, struct seen *s)
{
	FileEntry *entry = s->entry;
	int result = 0;

	s->entry = NULL;
	if (!entry)
		return 0;
	for (size_t i = 0; i < seen_count && !result && s->known->peer; i++)
		if (seen[i].entry && seen[i].known->inode == s->known->peer && seen[i].known->peer == s->known->inode)
			result = write_entry(dump, &seen[i]);
	if (!result)
		result = img_write(dump->files, &entry->base);
	file_entry__free_unpacked(entry, NULL);
	return result;
}

static void unixsk_forget(void)
{
	for (size_t i = 0; i < seen_count; i++) {
		free(seen[i].what);
		if (seen[i].entry)
			file_entry__free_unpacked(seen[i].entry, NULL);
		if (seen[i].dup >= 0)
			close(seen[i].dup);
	}
	free(seen);
	seen = NULL;
	seen_count = seen_room = 0;
	free(waiting);
	waiting = NULL;
	waiting_count = waiting_room = 0;
	tdestroy(known, free);
	known = NULL;
	asked = false;
	sk_queue_dump_end();
}

/* Queues last: what is in flight in them may be more sockets, whose queues come in turn. */
static int unixsk_dump_end(struct dump *dump)
{
	int result = 0;

	for (size_t i = 0; i < seen_count && !result; i++)
		if (seen[i].dup >= 0) {
			struct seen s = seen[i];

			result = sk_queue_dump(dump, s.dup, s.known->type, s.id, s.what);
		}
	for (size_t i = 0; i < seen_count && !result; i++)
		result = check_peer(dump, &seen[i]) < 0 || check_backlog(dump, &seen[i]) < 0 ? -1 : 0;
	for (size_t i = 0; i < seen_count && !result; i++)
		result = write_entry(dump, &seen[i]);
	if (sk_queue_dump_end() < 0)
		result = -1;
	return result;
}

const struct fd_kind unixsk_kind = {
	.type = FD_TYPES__UNIXSK,
	.name = "Unix socket",
	.recognise = unixsk_recognise,
	.dump = unixsk_dump,
	.dump_end = unixsk_dump_end,
	.forget = unixsk_forget,
	.collect = unixsk_collect,
	.open = unixsk_open,
	.finish = unixsk_finish,
	.settle = unixsk_settle,
};
