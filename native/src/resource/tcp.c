/* SPDX-License-Identifier: MIT */
#include "resource/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/tcp-stream.pb-c.h"
#include "resource/inetsk.h"
#include "resource/sk_opts.h"
#include "resource/tcp_guard.h"
#include "resource/tcp_lock.h"
#include "resource/tcp_packet.h"
#include "resource/tcp_within.h"
#include "tree/dump.h"

/* linux/tcp.h, which does not go with netinet/tcp.h here */
#define REPAIR_RECV_QUEUE 1
#define REPAIR_SEND_QUEUE 2
struct repair_window {
	uint32_t snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup;
};

/* The connections of the tree, in the order of their guarded sockets. */
static struct connection {
	InetSkEntry *entry; /* a copy with addresses */
	char *what;
	bool in_tree;
} *connections;
static struct tcp_guarded *guarded;
static bool armed; /* the guard watches */
static bool plain; /* without TCP_REPAIR */
static bool skip_lock; /* --network-lock skip: somebody else does it */
static bool locked; /* packets of peers outside the tree are dropped */
static size_t connection_count, connection_room, guarded_count, guarded_room;

bool tcp_is_connected(const InetSkEntry *e)
{
	/* A closed socket that was connected has been shut down; a new one has not. */
	return e->type == SOCK_STREAM && e->state != INETSK_LISTEN && (e->state != INETSK_CLOSE || e->shutdown);
}

int tcp_refuse_backlog(struct dump *dump, const char *what, unsigned int count)
{
	if (dump->request->tcp_close || dump->request->tcp_skip_in_flight)
		return 0;
	return err_set(ENOTSUP, "%s listens and has %u connection%s waiting to be accepted, which cannot be kept: dump when it has accepted %s", what,
		       count, count == 1 ? "" : "s", count == 1 ? "it" : "them");
}

static InetSkEntry *copy_address(const InetSkEntry *e)
{
	InetSkEntry *copy = xzalloc(sizeof(*copy));

	inet_sk_entry__init(copy);
	copy->ino = e->ino;
	copy->family = e->family;
	copy->type = e->type;
	copy->state = e->state;
	copy->src_port = e->src_port;
	copy->dst_port = e->dst_port;
	copy->n_src_addr = copy->n_dst_addr = 4;
	copy->src_addr = xzalloc(4 * sizeof(uint32_t));
	copy->dst_addr = xzalloc(4 * sizeof(uint32_t));
	memcpy(copy->src_addr, e->src_addr, e->n_src_addr * sizeof(uint32_t));
	memcpy(copy->dst_addr, e->dst_addr, e->n_dst_addr * sizeof(uint32_t));
	return copy;
}

int tcp_dump(struct dump *dump, const struct fd_info *info, InetSkEntry *e, const char *what)
{
	struct connection *c;
	struct tcp_guarded *g;
	struct pollfd p = { .fd = info->dup, .events = POLLRDHUP };

	bool in_flight = e->state == INETSK_SYN_SENT || e->state == INETSK_SYN_RECV;

	if ((dump->request->tcp_close && e->state != INETSK_CLOSE) || (dump->request->tcp_skip_in_flight && in_flight)) {
		/* A new socket, whose address its listener may have. */
		e->state = INETSK_CLOSE;
		memset(e->src_addr, 0, e->n_src_addr * sizeof(uint32_t));
		memset(e->dst_addr, 0, e->n_dst_addr * sizeof(uint32_t));
		e->src_port = e->dst_port = 0;
		return 0;
	}
	if (e->state == INETSK_CLOSE) {
		if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLRDHUP))
			return 0;
		e->has_shutdown = true;
		e->shutdown = SK_SHUTDOWN__READ;
	}
	if (!dump->request->tcp_established)
		return err_set(ENOTSUP,
			       "%s is a connected TCP socket (%s to %s): --tcp-established keeps the connection, --tcp-close lets it come back closed", what,
			       inetsk_show(e, false), inetsk_show(e, true));
	if (in_flight)
		return err_set(EAGAIN, "%s is a TCP socket on its way into a connection to %s: dump when it has come about, or leave it out (--skip-in-flight)", what, inetsk_show(e, true));
	if (e->state == INETSK_CLOSE_WAIT || e->state == INETSK_LAST_ACK || e->state == INETSK_CLOSING) {
		e->has_shutdown = true;
		e->shutdown = e->state == INETSK_CLOSE_WAIT ? SK_SHUTDOWN__READ : SK_SHUTDOWN__BOTH;
	} else if (e->state == INETSK_FIN_WAIT1 || e->state == INETSK_FIN_WAIT2) {
		e->has_shutdown = true;
		e->shutdown = SK_SHUTDOWN__WRITE;
	}
	c = array_push(&connections, &connection_count, &connection_room, sizeof(*connections));
	c->entry = copy_address(e);
	c->what = xstrdup(what);
	g = array_push(&guarded, &guarded_count, &guarded_room, sizeof(*guarded));
	g->fd = fcntl(info->dup, F_DUPFD_CLOEXEC, 0);
	if (g->fd < 0)
		return err_errno("%s: cannot keep it open", what);
	g->reuse = sk_get_int(g->fd, SOL_SOCKET, SO_REUSEADDR);
	if (e->opts->n_so_filter) {
		g->filter_count = e->opts->n_so_filter;
		g->filter = xzalloc(g->filter_count * sizeof(*g->filter));
		for (size_t i = 0; i < g->filter_count; i++) {
			uint64_t f = e->opts->so_filter[i];

			g->filter[i] = (struct sock_filter){ f >> 48, f >> 40, f >> 32, f };
		}
	}
	return 0;
}

/* --- reading in repair mode --- */

static int select_queue(int fd, int queue)
{
	return setsockopt(fd, SOL_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue));
}

/* Sequence number behind the selected queue and its contents. FIN is a number, but no byte. */
static int read_queue(int fd, int queue, unsigned long ask, bool fin, uint32_t *seq, uint32_t *length, char **data)
{
	socklen_t n = sizeof(*seq);
	int bytes = 0;

	if (select_queue(fd, queue) < 0 || getsockopt(fd, SOL_TCP, TCP_QUEUE_SEQ, seq, &n) < 0 || ioctl(fd, ask, &bytes) < 0)
		return -1;
	if (fin && bytes)
		bytes--;
	*length = bytes;
	*data = xzalloc(bytes + 1);
	if (bytes && recv(fd, *data, bytes, MSG_PEEK | MSG_DONTWAIT) != bytes) {
		errno = EIO;
		return -1;
	}
	return 0;
}

/* tcpi_options of struct tcp_info is tcp_stream_entry.opt_mask. */
static int read_options(int fd, TcpStreamEntry *e)
{
	struct tcp_info info;
	struct repair_window window;
	socklen_t n = sizeof(info);

	if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &n) < 0)
		return -1;
	e->opt_mask = info.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	e->snd_wscale = info.tcpi_snd_wscale;
	e->has_rcv_wscale = true;
	e->rcv_wscale = info.tcpi_rcv_wscale;
	n = sizeof(e->mss_clamp);
	if (getsockopt(fd, SOL_TCP, TCP_MAXSEG, &e->mss_clamp, &n) < 0)
		return -1;
	n = sizeof(e->timestamp);
	e->has_timestamp = true;
	if (getsockopt(fd, SOL_TCP, TCP_TIMESTAMP, &e->timestamp, &n) < 0)
		return -1;
	n = sizeof(window);
	if (getsockopt(fd, SOL_TCP, TCP_REPAIR_WINDOW, &window, &n) < 0)
		return -1;
	e->has_snd_wl1 = e->has_snd_wnd = e->has_max_window = e->has_rcv_wnd = e->has_rcv_wup = true;
	e->snd_wl1 = window.snd_wl1;
	e->snd_wnd = window.snd_wnd;
	e->max_window = window.max_window;
	e->rcv_wnd = window.rcv_wnd;
	e->rcv_wup = window.rcv_wup;
	if (sk_get_int(fd, SOL_TCP, TCP_CORK))
		e->has_cork = e->cork = true;
	if (sk_get_int(fd, SOL_TCP, TCP_NODELAY))
		e->has_nodelay = e->nodelay = true;
	return 0;
}

static int write_stream(struct dump *dump, const struct connection *c, int fd)
{
	TcpStreamEntry e = TCP_STREAM_ENTRY__INIT;
	auto_free char *in = NULL, *out = NULL;
	auto_img *img = NULL;
	uint32_t state = c->entry->state;
	bool fin_sent = state == INETSK_FIN_WAIT1 || state == INETSK_CLOSING || state == INETSK_LAST_ACK;
	int unsent = 0;

	if (read_options(fd, &e) < 0 || read_queue(fd, REPAIR_RECV_QUEUE, SIOCINQ, false, &e.inq_seq, &e.inq_len, &in) < 0)
		return err_errno("%s: its receive queue cannot be read", c->what);
	/* A closed socket sends no more, and what it could not send is lost. */
	if (state == INETSK_CLOSE) {
		out = xzalloc(1);
	} else if (read_queue(fd, REPAIR_SEND_QUEUE, SIOCOUTQ, fin_sent, &e.outq_seq, &e.outq_len, &out) < 0 ||
		   ioctl(fd, SIOCOUTQNSD, &unsent) < 0) {
		return err_errno("%s: its send queue cannot be read", c->what);
	}
	/* The FIN comes last: as long as it is not sent it counts there too. */
	if (fin_sent && unsent)
		unsent--;
	e.has_unsq_len = true;
	e.unsq_len = (uint32_t)unsent > e.outq_len ? e.outq_len : (uint32_t)unsent;
	img = img_create(dump->dirfd, IMG_TCP_STREAM, c->entry->ino);
	if (!img || img_write(img, &e.base) < 0 || img_write_raw(img, in, e.inq_len) < 0 || img_write_raw(img, out, e.outq_len) < 0)
		return -1;
	return 0;
}

static void find_peers(void)
{
	for (size_t i = 0; i < connection_count; i++)
		for (size_t j = 0; j < connection_count; j++)
			if (connections[j].entry->state != INETSK_CLOSE && tcp_is_other_end(connections[i].entry, connections[j].entry))
				connections[i].in_tree = true;
}

static bool wants_lock(const struct connection *c)
{
	return !skip_lock && !c->in_tree && c->entry->state != INETSK_CLOSE;
}

static void unlock_all(void)
{
	for (size_t i = 0; i < connection_count; i++)
		if (wants_lock(&connections[i]))
			tcp_lock_remove(connections[i].entry);
}

static int lock_all(void)
{
	for (size_t i = 0; i < connection_count; i++)
		if (wants_lock(&connections[i]) && tcp_lock_set(connections[i].entry) < 0) {
			unlock_all();
			return err_context("%s", connections[i].what);
		}
	return 0;
}

static const struct connection *other_end(const struct connection *c)
{
	for (size_t i = 0; i < connection_count; i++)
		if (&connections[i] != c && connections[i].entry->state != INETSK_CLOSE && tcp_is_other_end(c->entry, connections[i].entry))
			return &connections[i];
	return NULL;
}

/* Without the right to TCP_REPAIR. */
static int dump_plain(struct dump *dump)
{
	for (size_t i = 0; i < connection_count; i++) {
		const struct connection *c = &connections[i], *o = c->entry->state == INETSK_CLOSE ? NULL : other_end(c);
		struct tcp_end end = { c->entry, c->what, guarded[i].fd, i }, other;

		if (o)
			other = (struct tcp_end){ o->entry, o->what, guarded[o - connections].fd, o - connections };
		else if (c->entry->state != INETSK_CLOSE)
			return err_set(EPERM, "%s is a TCP connection to a peer outside the tree (%s): keeping it takes CAP_NET_ADMIN; --tcp-close gives it up",
				       c->what, inetsk_show(c->entry, true));
		if (tcp_within_dump(dump, &end, o ? &other : NULL) < 0)
			return -1;
	}
	return 0;
}

int tcp_dump_streams(struct dump *dump)
{
	bool kill = !dump->request->leave_running && !dump->request->leave_stopped;

	if (!connection_count)
		return 0;
	plain = !tcp_repair_allowed();
	if (plain)
		return dump_plain(dump);
	find_peers();
	skip_lock = dump->request->network_lock == NETWORK_LOCK_SKIP;
	if (tcp_guard_start(guarded, guarded_count, &dump->tree) < 0)
		return -1;
	armed = true;
	locked = kill;
	if (kill && tcp_guard_set(lock_all, unlock_all) < 0)
		return -1;
	/* All deaf before any is read: what one has sent the other has, or neither. */
	for (size_t i = 0; i < connection_count; i++)
		if (tcp_guard_deafen(&guarded[i]) < 0 && errno != EPERM)
			return err_errno("%s: its packets cannot be held up", connections[i].what);
	for (size_t i = 0; i < connection_count; i++) {
		if (tcp_guard_repair(&guarded[i]) < 0)
			return err_errno("%s: TCP_REPAIR, which takes CAP_NET_ADMIN, cannot be set", connections[i].what);
		if (write_stream(dump, &connections[i], guarded[i].fd) < 0)
			return -1;
	}
	for (size_t i = 0; i < connection_count && !kill; i++)
		tcp_guard_undo(&guarded[i]);
	return 0;
}

void tcp_dump_release(bool killed)
{
	for (size_t i = 0; i < connection_count && armed && !killed; i++)
		tcp_guard_undo(&guarded[i]);
	if (locked && !killed)
		unlock_all();
	armed = locked = false;
	tcp_guard_end(killed);
	for (size_t i = 0; i < connection_count; i++) {
		if (plain && killed)
			tcp_within_drop(guarded[i].fd);
		close(guarded[i].fd);
		free(guarded[i].filter);
		inet_sk_entry__free_unpacked(connections[i].entry, NULL);
		free(connections[i].what);
	}
	free(connections);
	free(guarded);
	connections = NULL;
	guarded = NULL;
	plain = false;
	connection_count = connection_room = guarded_count = guarded_room = 0;
}
