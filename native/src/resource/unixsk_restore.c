/* SPDX-License-Identifier: MIT
 *
 * Making Unix sockets again. All those of the images that hang together are made at once by one task:
 *
 *   open    pairs without a name by socketpair; the rest is bound; a connection that came through a listener comes through it, or one of
 *           the same name, again, for only so can an accepted socket have its listener's name
 *   finish  queues are filled by the other end, then datagram sockets are connected, what was shut down or closed is so again
 *
 * Names whose file was deleted, or that are given twice, are bound in an empty file system of their own (unixsk_bind.c).
 */
#include "resource/unixsk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/peer_user.h"
#include "resource/regfile.h"
#include "resource/sk_opts.h"
#include "resource/sk_queue.h"
#include "resource/unixsk_bind.h"
#include "resource/unixsk_service.h"
#include "tree/restore_tree.h"

struct unix_socket {
	uint32_t id;
	UnixSkEntry *e;
	struct sk_packet *queue;
	struct unix_socket *peer; /* NULL: none, closed or outside */
	int fd; /* until it is handed out; then it is at its slot */
	int other_end; /* stands for a peer that has been closed; -1: none */
	bool made, bound;
};

static struct unix_socket *sockets;
static size_t socket_count, socket_room;
static bool made;

/* --- collect --- */

static bool is_stream(const UnixSkEntry *e)
{
	return e->type != SOCK_DGRAM;
}

int unixsk_collect(struct restore *restore, FileEntry *entry)
{
	UnixSkEntry *e = entry->usk;
	struct unix_socket *s;
	struct sk_packet *queue;
	bool failed;

	if (!e)
		return err_set(EINVAL, "files.img: id %u has no unix_sk_entry", entry->id);
	if (e->uflags & UNIXSK_SERVICE)
		return 0;
	if ((e->type != SOCK_STREAM && e->type != SOCK_DGRAM && e->type != SOCK_SEQPACKET) || e->uflags & UNIXSK_EXTERNAL ||
	    (e->state != UNIXSK_ESTABLISHED && e->state != UNIXSK_CLOSE && e->state != UNIXSK_LISTEN) ||
	    (e->type == SOCK_DGRAM && e->state == UNIXSK_LISTEN) || e->shutdown > SK_SHUTDOWN__BOTH)
		return err_set(EINVAL, "files.img: id %u is a Unix socket of type %u, state %u, flags 0x%x", entry->id, e->type, e->state, e->uflags);
	if (e->name.len > sizeof(((struct sockaddr_un *)0)->sun_path) ||
	    (e->name.len && e->name.data[0] && memchr(e->name.data, 0, e->name.len) != e->name.data + e->name.len - 1))
		return err_set(EINVAL, "files.img: id %u is a Unix socket with a name of %zu bytes", entry->id, e->name.len);
	if (e->name.len && e->name.data[0] && e->name.data[0] != '/' && (!e->name_dir || e->name_dir[0] != '/'))
		return err_set(EINVAL, "files.img: id %u is a Unix socket with a relative name and no directory", entry->id);
	if (e->pcr_path && (e->pcr_path[0] != '/' || !e->deleted || !e->name.len || !e->name.data[0]))
		return err_set(EINVAL, "files.img: id %u is a Unix socket that was renamed to %s", entry->id, e->pcr_path);
	if (e->n_pcr_peer_user && e->n_pcr_peer_user != 2)
		return err_set(EINVAL, "files.img: id %u is a Unix socket with a peer's user of %zu numbers", entry->id, e->n_pcr_peer_user);
	for (size_t i = 0; i < socket_count; i++)
		if (sockets[i].e->ino == e->ino)
			return err_set(EINVAL, "files.img has the Unix socket %u twice", e->ino);
	s = array_push(&sockets, &socket_count, &socket_room, sizeof(*sockets));
	s->id = entry->id;
	s->e = e;
	s->fd = s->other_end = -1;
	if (socket_count > 1)
		restore_group_files(restore, entry->id, sockets[0].id);
	queue = sk_queue_collect(restore, entry->id, &failed);
	/* The array may have grown. */
	for (size_t i = 0; i < socket_count; i++)
		if (sockets[i].id == entry->id)
			sockets[i].queue = queue;
	return failed ? -1 : 0;
}

/* --- open --- */

/* Two datagram sockets that are each other's peers. */
static bool is_paired(const struct unix_socket *s)
{
	return s->peer && s->peer != s && s->peer->peer == s;
}

static struct unix_socket *find_inode(uint32_t inode)
{
	for (size_t i = 0; inode && i < socket_count; i++)
		if (sockets[i].e->ino == inode)
			return &sockets[i];
	return NULL;
}

static const UnixSkEntry *find_external(struct restore *restore, uint32_t inode)
{
	for (size_t i = 0; i < restore->file_count; i++) {
		const FileEntry *entry = restore->files[i]->entry;

		if (entry->type == FD_TYPES__UNIXSK && entry->usk && entry->usk->ino == inode && entry->usk->uflags & UNIXSK_EXTERNAL &&
		    entry->usk->name.len && entry->usk->name.len <= sizeof(((struct sockaddr_un *)0)->sun_path))
			return entry->usk;
	}
	return NULL;
}

static bool same_name(const UnixSkEntry *a, const UnixSkEntry *b)
{
	return a->type == b->type && a->name.len == b->name.len && !memcmp(a->name.data, b->name.data, a->name.len) &&
	       !strcmp(a->name_dir ? a->name_dir : "", b->name_dir ? b->name_dir : "");
}

static struct unix_socket *find_listener(const UnixSkEntry *e)
{
	for (size_t i = 0; i < socket_count; i++)
		if (sockets[i].e->state == UNIXSK_LISTEN && sockets[i].e != e && same_name(sockets[i].e, e))
			return &sockets[i];
	return NULL;
}

/* Non-blocking until it is handed out: nothing here may hang. */
static int new_socket(const UnixSkEntry *e)
{
	int fd = socket(AF_UNIX, e->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_errno("cannot make a Unix socket") : fd;
}

static int make_pair(struct unix_socket *s, int *other)
{
	struct peer_user was;
	int fds[2], result;

	peer_user_enter(s->e, &was);
	result = socketpair(AF_UNIX, s->e->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
	peer_user_leave(&was);
	if (result < 0)
		return err_errno("cannot make a pair of Unix sockets");
	s->fd = fds[0];
	*other = fds[1];
	s->made = true;
	return 0;
}

static int bind_socket(struct unix_socket *s)
{
	if (!s->e->name.len || s->bound)
		return 0;
	s->bound = true;
	return unixsk_bind(s->fd, s->e);
}

static int listen_as(const UnixSkEntry *e, int fd, int backlog)
{
	struct peer_user was;
	int result;

	peer_user_enter(e, &was);
	result = listen(fd, backlog);
	peer_user_leave(&was);
	return result < 0 ? err_errno("a Unix socket cannot listen") : 0;
}

static int make_listener(struct unix_socket *s)
{
	if (s->made)
		return 0;
	s->made = true;
	s->fd = new_socket(s->e);
	if (s->fd < 0 || bind_socket(s) < 0)
		return -1;
	return listen_as(s->e, s->fd, s->e->backlog);
}

/* Connects client with a new socket that has the name of `accepted`. Returns that one or -1 with the error set. */
static int connect_through(const UnixSkEntry *accepted, int client)
{
	struct unix_socket *real = find_listener(accepted);
	auto_fd temporary = -1;
	const UnixSkEntry *as = accepted;
	UnixSkEntry nowhere = *accepted;
	int listener, fd;

	if (real && !(real->e->shutdown & SK_SHUTDOWN__READ)) {
		if (make_listener(real) < 0)
			return -1;
		listener = real->fd;
		accepted = real->e;
	} else {
		listener = temporary = new_socket(accepted);
		nowhere.deleted = true;
		nowhere.pcr_path = NULL;
		accepted = &nowhere;
		if (listener < 0 || unixsk_bind(listener, accepted) < 0)
			return -1;
		if (listen(listener, 1) < 0)
			return err_errno("a Unix socket cannot listen");
	}
	if (unixsk_connect(client, accepted, as) < 0)
		return -1;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return fd < 0 ? err_errno("a connection of Unix sockets cannot be accepted") : fd;
}

/* Which end of a connection came from accept(2): the one with a listener's name. */
static bool came_from_accept(const struct unix_socket *s)
{
	if (!s->e->name.len)
		return false;
	return find_listener(s->e) || !s->peer || !s->peer->e->name.len || (!find_listener(s->peer->e) && s < s->peer);
}

static int make_connection(struct unix_socket *s)
{
	struct unix_socket *peer = s->peer;

	if (s->made || !is_stream(s->e) || s->e->state != UNIXSK_ESTABLISHED)
		return 0;
	if (!peer && !s->e->name.len)
		return make_pair(s, &s->other_end);
	if (peer && !s->e->name.len && !peer->e->name.len) {
		peer->made = true;
		return make_pair(s, &peer->fd);
	}
	if (!came_from_accept(s))
		return 0; /* its peer's turn */
	if (peer) {
		peer->made = true;
		peer->fd = new_socket(peer->e);
		if (peer->fd < 0 || bind_socket(peer) < 0)
			return -1;
	} else if ((s->other_end = new_socket(s->e)) < 0) {
		return -1;
	}
	s->made = s->bound = true;
	s->fd = connect_through(s->e, peer ? peer->fd : s->other_end);
	return s->fd < 0 ? -1 : 0;
}

static int make_datagram(struct unix_socket *s)
{
	if (s->made || is_stream(s->e))
		return 0;
	/* Each other's, or one that was and has lost its peer: names come later. */
	if (is_paired(s)) {
		s->peer->made = true;
		return make_pair(s, &s->peer->fd);
	}
	if (!s->e->name.len && s->queue && !s->peer)
		return make_pair(s, &s->other_end);
	s->made = true;
	s->fd = new_socket(s->e);
	return s->fd < 0 ? -1 : 0;
}

/* Its connection waits in a backlog. */
static bool is_waiting(const struct unix_socket *s)
{
	return is_stream(s->e) && s->e->state == UNIXSK_ESTABLISHED && s->peer && s->peer->e->state == UNIXSK_LISTEN;
}

static int make_rest(struct unix_socket *s)
{
	if (s->made)
		return 0;
	if (s->e->state == UNIXSK_LISTEN)
		return make_listener(s);
	s->made = true;
	s->fd = new_socket(s->e);
	return s->fd < 0 ? -1 : 0;
}

/* The backlog may have been made smaller since: it is so again afterwards. */
static int make_waiting(struct unix_socket *s)
{
	if (!is_waiting(s))
		return 0;
	return listen_as(s->peer->e, s->peer->fd, SOMAXCONN) < 0 || unixsk_connect(s->fd, s->peer->e, NULL) < 0 ||
			       listen_as(s->peer->e, s->peer->fd, s->peer->e->backlog) < 0 ?
		       -1 :
		       0;
}

static int check_peers(struct restore *restore)
{
	for (size_t i = 0; i < socket_count; i++) {
		struct unix_socket *s = &sockets[i];

		s->peer = find_inode(s->e->peer);
		if (s->peer == s && is_stream(s->e))
			return err_set(EINVAL, "files.img: Unix socket %u is connected to itself", s->e->ino);
		if (s->e->peer && !s->peer && (is_stream(s->e) || !find_external(restore, s->e->peer)))
			return err_set(EINVAL, "files.img: Unix socket %u is connected to %u, which is not in the images", s->e->ino, s->e->peer);
		if (s->peer && s->peer->e->type != s->e->type)
			return err_set(EINVAL, "files.img: Unix socket %u is connected to one of another type", s->e->ino);
	}
	for (size_t i = 0; i < socket_count; i++) {
		const struct unix_socket *s = &sockets[i];

		if (s->peer && is_stream(s->e) && s->peer->peer != s && !is_waiting(s))
			return err_set(EINVAL, "files.img: Unix socket %u is connected to %u, but not the other way round", s->e->ino, s->e->peer);
	}
	return 0;
}

static int each(int (*fn)(struct unix_socket *))
{
	for (size_t i = 0; i < socket_count; i++)
		if (fn(&sockets[i]) < 0)
			return err_context("Unix socket %u", sockets[i].e->ino);
	return 0;
}

int unixsk_open(struct restore *restore, FileEntry *entry)
{
	if (entry->usk->uflags & UNIXSK_SERVICE)
		return unixsk_service_open(entry->usk);
	if (!made && (check_peers(restore) < 0 || each(make_connection) < 0 || each(make_datagram) < 0 || each(make_rest) < 0 ||
		      each(bind_socket) < 0 || each(make_waiting) < 0))
		return -1;
	made = true;
	return find_inode(entry->usk->ino)->fd;
}

/* --- finish --- */

static int slot_of(struct restore *restore, const struct unix_socket *s)
{
	return restore_find_file(restore, s->id)->slot;
}

/* Who sent a datagram: the socket with the name that it came from; else any that may. */
static int sender_of(struct restore *restore, const struct unix_socket *s, const struct sk_packet *p)
{
	for (size_t i = 0; i < socket_count && p->entry->pcr_from.len; i++)
		if (sockets[i].e->type == SOCK_DGRAM && sockets[i].e->name.len == p->entry->pcr_from.len &&
		    !memcmp(sockets[i].e->name.data, p->entry->pcr_from.data, p->entry->pcr_from.len))
			return slot_of(restore, &sockets[i]);
	for (size_t i = 0; i < socket_count && !p->entry->pcr_from.len; i++)
		if (sockets[i].peer == s && sockets[i].e->type == SOCK_DGRAM)
			return slot_of(restore, &sockets[i]);
	return -1;
}

static int fill_datagrams(struct restore *restore, struct unix_socket *s)
{
	auto_fd anyone = new_socket(s->e);
	bool named = false;

	for (const struct sk_packet *p = s->queue; p; p = p->next) {
		int fd = s->other_end >= 0 ? s->other_end : is_paired(s) ? slot_of(restore, s->peer) : sender_of(restore, s, p);

		if (fd < 0 && p->entry->pcr_from.len) {
			UnixSkEntry from = *s->e;

			/* Closed since. Its name is taken once more, without a file. */
			if (named) {
				close(anyone);
				anyone = new_socket(s->e);
			}
			named = true;
			from.name = p->entry->pcr_from;
			from.name_dir = "/";
			from.deleted = true;
			if (unixsk_bind(anyone, &from) < 0)
				return -1;
		}
		if (fd < 0)
			fd = anyone;
		unixsk_send_room(fd, p->entry->length);
		if (unixsk_send(restore, p, fd, s->other_end >= 0 || is_paired(s) ? NULL : s->e) < 0)
			return err_context("Unix socket %u", s->e->ino);
	}
	return 0;
}

static int fill_queue(struct restore *restore, struct unix_socket *s)
{
	int fd;

	if (!s->queue)
		return 0;
	if (!is_stream(s->e))
		return fill_datagrams(restore, s);
	fd = s->other_end >= 0 ? s->other_end : s->peer && !is_waiting(s) ? slot_of(restore, s->peer) : -1;
	if (fd < 0)
		return err_set(EINVAL, "sk-queues.img: data for Unix socket %u, which has no peer", s->e->ino);
	for (const struct sk_packet *p = s->queue; p; p = p->next) {
		unixsk_send_room(fd, p->entry->length);
		if (unixsk_send(restore, p, fd, NULL) < 0)
			return err_context("Unix socket %u", s->e->ino);
	}
	return 0;
}

/* Datagram sockets send to whom they like until they are connected. */
static int connect_datagram(struct restore *restore, struct unix_socket *s)
{
	const UnixSkEntry *external;
	auto_fd gone = -1;
	int fd = slot_of(restore, s);

	if (is_stream(s->e) || is_paired(s))
		return 0;
	if (s->peer)
		return s->peer->e->name.len ? unixsk_connect(fd, s->peer->e, NULL) :
					      err_set(ENOTSUP, "Unix socket %u is connected to %u, which has no name", s->e->ino, s->e->peer);
	if (s->e->peer && (external = find_external(restore, s->e->peer))) {
		if (unixsk_connect(fd, external, NULL) < 0)
			return err_context("a socket outside the tree must be there again");
		return 0;
	}
	if (s->e->pcr_peer_gone && s->other_end < 0) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		socklen_t length = sizeof(address);

		/* A name that the kernel chooses, for a peer that ends at once. */
		gone = new_socket(s->e);
		if (gone < 0 || bind(gone, (void *)&address, sizeof(sa_family_t)) < 0 || getsockname(gone, (void *)&address, &length) < 0 ||
		    connect(fd, (void *)&address, length) < 0)
			return err_errno("a Unix socket cannot be connected");
	}
	return 0;
}

static int finish_one(struct restore *restore, struct unix_socket *s)
{
	int fd = slot_of(restore, s);

	if (connect_datagram(restore, s) < 0)
		return -1;
	if (s->e->shutdown && shutdown(fd, s->e->shutdown - 1) < 0)
		return err_errno("it cannot be shut down");
	if (s->other_end >= 0)
		close(s->other_end);
	s->other_end = -1;
	if (sk_opts_restore(s->e->opts, fd) < 0)
		return -1;
	return sk_flags_restore(fd, s->e->flags);
}

int unixsk_finish(struct restore *restore, struct restore_task *task)
{
	for (size_t i = 0; i < socket_count; i++)
		if (fill_queue(restore, &sockets[i]) < 0)
			return -1;
	for (size_t i = 0; i < socket_count; i++)
		if (finish_one(restore, &sockets[i]) < 0)
			return err_context("Unix socket %u", sockets[i].e->ino);
	unixsk_bind_end();
	return 0;
}

int unixsk_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->usk->fown, fd);
}
