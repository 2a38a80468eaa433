/* SPDX-License-Identifier: MIT
 *
 * Making TCP connections again with TCP_REPAIR. Numbers, options and queues are set while the socket is in repair mode, then what was
 * still to be sent is sent and what was shut down is shut down in the ordinary way. A FIN that a peer outside the tree has sent before
 * the dump will not come again: the socket is given it by hand (tcp_packet.h).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/tcp-stream.pb-c.h"
#include "resource/inetsk.h"
#include "resource/sk_opts.h"
#include "resource/tcp.h"
#include "resource/tcp_lock.h"
#include "resource/tcp_packet.h"
#include "resource/tcp_within.h"
#include "tree/restore_tree.h"

/* linux/tcp.h, which does not go with netinet/tcp.h here */
#define REPAIR_RECV_QUEUE 1
#define REPAIR_SEND_QUEUE 2
#define OPT_MAXSEG 2
#define OPT_WINDOW 3
#define OPT_SACK_PERMITTED 4
#define OPT_TIMESTAMP 8
struct repair_opt {
	uint32_t code, value;
};
struct repair_window {
	uint32_t snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup;
};

#define QUEUE_MAX (1u << 30) /* no socket buffer is larger */
#define CHUNK_MAX (64u << 10)

static struct stream {
	const InetSkEntry *e;
	TcpStreamEntry *tcp;
	char *in, *out;
	int made; /* its socket, when that came about together with its other end's (tcp_within.h); -1 */
} *streams;
static size_t stream_count, stream_room;

static struct stream *find_stream(const InetSkEntry *e)
{
	for (size_t i = 0; i < stream_count; i++)
		if (streams[i].e == e)
			return &streams[i];
	return NULL;
}

static struct stream *find_other_end(const InetSkEntry *e)
{
	for (size_t i = 0; i < stream_count; i++)
		if (streams[i].e != e && streams[i].e->state != INETSK_CLOSE && tcp_is_other_end(streams[i].e, e))
			return &streams[i];
	return NULL;
}

bool tcp_other_end_is_here(const InetSkEntry *e)
{
	return find_other_end(e) != NULL;
}

int tcp_collect(struct restore *restore, const InetSkEntry *e)
{
	struct stream *s, *other;
	auto_img *img = NULL;
	TcpStreamEntry *t;

	if (restore->request->tcp_close)
		return 0;
	if (!restore->request->tcp_established)
		return err_set(EINVAL, "a TCP connection (%s to %s) was dumped: --tcp-established restores it, --tcp-close restores it closed",
			       inetsk_show(e, false), inetsk_show(e, true));
	if (e->state == INETSK_SYN_SENT || e->state == INETSK_SYN_RECV || e->state == INETSK_TIME_WAIT)
		return err_set(ENOTSUP, "a TCP connection on its way (%s to %s, state %u) cannot be restored", inetsk_show(e, false),
			       inetsk_show(e, true), e->state);
	img = img_open(restore->dirfd, IMG_TCP_STREAM, e->ino, false);
	if (!img || img_read_one(img, &tcp_stream_entry__descriptor, &t) < 0)
		return -1;
	s = array_push(&streams, &stream_count, &stream_room, sizeof(*streams));
	s->e = e;
	s->tcp = t;
	s->made = -1;
	other = e->state == INETSK_CLOSE || tcp_repair_allowed() ? NULL : find_other_end(e);
	if (other)
		restore_group_files(restore, e->id, other->e->id);
	if (t->inq_len > QUEUE_MAX || t->outq_len > QUEUE_MAX || t->unsq_len > t->outq_len || (off_t)t->inq_len + t->outq_len > img_left(img))
		return err_set(EINVAL, "%s has queues of %u and %u bytes, %u unsent", img_name(img), t->inq_len, t->outq_len, t->unsq_len);
	s->in = xzalloc(t->inq_len + 1);
	s->out = xzalloc(t->outq_len + 1);
	return img_read_raw(img, s->in, t->inq_len) < 0 || img_read_raw(img, s->out, t->outq_len) < 0 ? -1 : 0;
}

static bool fin_sent(const InetSkEntry *e)
{
	return e->state == INETSK_FIN_WAIT1 || e->state == INETSK_FIN_WAIT2 || e->state == INETSK_CLOSING || e->state == INETSK_LAST_ACK;
}

static bool fin_received(const InetSkEntry *e)
{
	return e->state == INETSK_CLOSE_WAIT || e->state == INETSK_CLOSING || e->state == INETSK_LAST_ACK;
}

static bool other_end_in_tree(struct restore *restore, const InetSkEntry *e)
{
	for (size_t i = 0; i < restore->file_count; i++) {
		const FileEntry *entry = restore->files[i]->entry;

		if (entry->type == FD_TYPES__INETSK && restore->files[i]->kind && tcp_is_connected(entry->isk) &&
		    entry->isk->state != INETSK_CLOSE && tcp_is_other_end(entry->isk, e))
			return true;
	}
	return false;
}

void tcp_unlock(struct restore *restore, bool outside)
{
	if (restore->request->network_lock == NETWORK_LOCK_SKIP)
		return;
	for (size_t i = 0; i < stream_count; i++)
		if (streams[i].e->state != INETSK_CLOSE && other_end_in_tree(restore, streams[i].e) != outside)
			tcp_lock_remove(streams[i].e);
}

/* --- a closed connection: its data and its end --- */

/* By a connection of our own that ends at once: whom it was connected to nobody can ask any more. */
static int open_closed(const struct stream *s, int fd)
{
	struct sockaddr_storage address, own;
	socklen_t n = inetsk_address(s->e, false, &own), m = sizeof(address);
	auto_fd listener = socket(s->e->family, SOCK_STREAM | SOCK_CLOEXEC, 0), peer = -1;
	int room = s->tcp->inq_len * 2 + 65536;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	memset(&address, 0, sizeof(address));
	address.ss_family = s->e->family;
	if (s->e->family == AF_INET)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
	if (listener < 0 || bind(listener, (void *)&address, n) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (void *)&address, &m) < 0)
		return err_errno("cannot make a TCP socket");
	/* Its own address may not reach the loopback one. */
	if (bind(fd, (void *)&own, n) < 0)
		pr_warn("a closed TCP socket does not get its address %s back", inetsk_show(s->e, false));
	if (connect(fd, (void *)&address, n) < 0 && errno != EINPROGRESS)
		return err_errno("a closed TCP socket cannot be connected for its data");
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	setsockopt(peer, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (peer < 0 || send(peer, s->in, s->tcp->inq_len, MSG_NOSIGNAL) != (ssize_t)s->tcp->inq_len)
		return err_errno("a closed TCP socket cannot be given its data");
	shutdown(peer, SHUT_WR);
	shutdown(fd, SHUT_WR);
	return 0;
}

/* --- in repair mode --- */

static int set_queue(int fd, int queue, uint32_t seq)
{
	if (setsockopt(fd, SOL_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) < 0 || setsockopt(fd, SOL_TCP, TCP_QUEUE_SEQ, &seq, sizeof(seq)) < 0)
		return err_errno("its sequence numbers cannot be set");
	return 0;
}

static int fill_queue(int fd, int queue, const char *data, uint32_t size)
{
	if (setsockopt(fd, SOL_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) < 0)
		return err_errno("its queues cannot be filled");
	for (uint32_t done = 0; done < size;) {
		uint32_t left = size - done;
		ssize_t n = send(fd, data + done, left < CHUNK_MAX ? left : CHUNK_MAX, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return err_errno("%u of %u bytes cannot be put into a queue again", left, size);
		done += n;
	}
	return 0;
}

static int set_options(const TcpStreamEntry *t, int fd)
{
	struct repair_opt opts[4];
	size_t n = 0;

	opts[n++] = (struct repair_opt){ OPT_MAXSEG, t->mss_clamp };
	if (t->opt_mask & TCPI_OPT_WSCALE)
		opts[n++] = (struct repair_opt){ OPT_WINDOW, t->snd_wscale | t->rcv_wscale << 16 };
	if (t->opt_mask & TCPI_OPT_SACK)
		opts[n++] = (struct repair_opt){ OPT_SACK_PERMITTED, 0 };
	if (t->opt_mask & TCPI_OPT_TIMESTAMPS)
		opts[n++] = (struct repair_opt){ OPT_TIMESTAMP, 0 };
	if (setsockopt(fd, SOL_TCP, TCP_REPAIR_OPTIONS, opts, n * sizeof(*opts)) < 0)
		return err_errno("its options cannot be set");
	if (t->has_timestamp && setsockopt(fd, SOL_TCP, TCP_TIMESTAMP, &t->timestamp, sizeof(t->timestamp)) < 0)
		return err_errno("its time stamps cannot be set");
	return 0;
}

static int set_window(const struct stream *s, int fd)
{
	const TcpStreamEntry *t = s->tcp;
	struct repair_window w = { t->snd_wl1, t->snd_wnd, t->max_window, t->rcv_wnd, t->rcv_wup };
	uint32_t next = t->inq_seq - fin_received(s->e);

	if (!t->has_snd_wnd)
		return 0;
	/* What the kernel takes: not behind what has been received so far. */
	if ((int32_t)(w.rcv_wup - next) > 0)
		w.rcv_wup = next;
	if (setsockopt(fd, SOL_TCP, TCP_REPAIR_WINDOW, &w, sizeof(w)) < 0)
		return err_errno("its windows cannot be set");
	return 0;
}

static void make_room(int fd, int force, uint32_t size)
{
	int room = size * 3 + 65536;

	if (size)
		setsockopt(fd, SOL_SOCKET, force, &room, sizeof(room));
}

static int repair(const struct stream *s, int fd)
{
	const TcpStreamEntry *t = s->tcp;
	struct sockaddr_storage own, peer;
	socklen_t n = inetsk_address(s->e, false, &own);
	int on = 1;

	inetsk_address(s->e, true, &peer);
	if (setsockopt(fd, SOL_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		return err_errno("TCP_REPAIR, which takes CAP_NET_ADMIN, cannot be set");
	if (set_queue(fd, REPAIR_RECV_QUEUE, t->inq_seq - t->inq_len - fin_received(s->e)) < 0 ||
	    set_queue(fd, REPAIR_SEND_QUEUE, t->outq_seq - t->outq_len - fin_sent(s->e)) < 0)
		return -1;
	if (bind(fd, (void *)&own, n) < 0)
		return err_errno("its address cannot be bound");
	if (connect(fd, (void *)&peer, n) < 0)
		return err_errno("it cannot be connected");
	make_room(fd, SO_RCVBUFFORCE, t->inq_len);
	make_room(fd, SO_SNDBUFFORCE, t->outq_len);
	if (set_options(t, fd) < 0 || fill_queue(fd, REPAIR_RECV_QUEUE, s->in, t->inq_len) < 0 ||
	    fill_queue(fd, REPAIR_SEND_QUEUE, s->out, t->outq_len - t->unsq_len) < 0)
		return -1;
	return set_window(s, fd);
}

/* Both ends at once; the second one finds its socket made. */
static int open_within(struct stream *s, int fd)
{
	struct stream *o = find_other_end(s->e);
	int result;

	if (s->made < 0 && !o)
		return err_set(EPERM, "its other end is not in the images: restoring it takes CAP_NET_ADMIN");
	if (s->made < 0) {
		struct tcp_within near = { s->e, s->tcp, s->in, s->out }, far = { o->e, o->tcp, o->in, o->out };

		o->made = tcp_within_connect(&near, fd, &far);
		return o->made < 0 ? -1 : 0;
	}
	result = dup3(s->made, fd, O_CLOEXEC);
	close(s->made);
	s->made = -1;
	return result < 0 ? err_errno("it cannot be moved") : 0;
}

int tcp_open(struct restore *restore, const InetSkEntry *e, int fd)
{
	struct stream *s = find_stream(e);

	if (!s)
		return 0; /* --tcp-close */
	if ((e->state == INETSK_CLOSE ? open_closed(s, fd) : tcp_repair_allowed() ? repair(s, fd) : open_within(s, fd)) < 0)
		return err_context("the TCP connection %s to %s", inetsk_show(e, false), inetsk_show(e, true));
	return 0;
}

/* --- out of it --- */

static int send_unsent(const struct stream *s, int fd)
{
	const TcpStreamEntry *t = s->tcp;

	for (uint32_t done = t->outq_len - t->unsq_len; done < t->outq_len;) {
		ssize_t n = send(fd, s->out + done, t->outq_len - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return err_errno("%u bytes cannot be sent again", t->outq_len - done);
		done += n;
	}
	return 0;
}

int tcp_finish(struct restore *restore, const InetSkEntry *e, int fd)
{
	const struct stream *s = find_stream(e);
	int off = 0;

	if (!s)
		return 0;
	if (e->state != INETSK_CLOSE && !tcp_repair_allowed()) {
		if (fin_sent(e) && shutdown(fd, SHUT_WR) < 0)
			return err_errno("it cannot be shut down");
	} else if (e->state != INETSK_CLOSE) {
		if (fin_received(e) && !other_end_in_tree(restore, e) &&
		    tcp_packet_fin(e, fd, s->tcp->inq_seq - 1, s->tcp->outq_seq - s->tcp->unsq_len - fin_sent(e)) < 0)
			return -1;
		if (setsockopt(fd, SOL_TCP, TCP_REPAIR, &off, sizeof(off)) < 0)
			return err_errno("TCP_REPAIR cannot be switched off");
		if (send_unsent(s, fd) < 0)
			return -1;
		if (fin_sent(e) && shutdown(fd, SHUT_WR) < 0)
			return err_errno("it cannot be shut down");
	}
	/* Buffers were enlarged for the queues. */
	return sk_opts_restore(e->opts, fd);
}
