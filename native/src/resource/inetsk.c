/* SPDX-License-Identifier: MIT */
#include "resource/inetsk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/in6.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/multicast.h"
#include "resource/regfile.h"
#include "resource/sk_diag.h"
#include "resource/sk_opts.h"
#include "resource/tcp.h"
#include "resource/tcp_within.h"
#include "resource/udp_queue.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif
#ifndef IP_NODEFRAG
#define IP_NODEFRAG 22
#endif
#ifndef IP_CHECKSUM
#define IP_CHECKSUM 23
#endif
#define SOL_RAW_ 255 /* linux/socket.h */
#define ICMP_FILTER 1 /* linux/icmp.h */
#define ICMPV6_FILTER_ 1
#define FILTER_WORDS_MAX 8 /* struct icmp6_filter */

/* --- addresses --- */

socklen_t inetsk_address(const InetSkEntry *e, bool peer, struct sockaddr_storage *address)
{
	const uint32_t *words = peer ? e->dst_addr : e->src_addr;
	uint16_t port = htons(peer ? e->dst_port : e->src_port);
	struct sockaddr_in *in = (void *)address;
	struct sockaddr_in6 *in6 = (void *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = e->family;
	if (e->family == AF_INET) {
		in->sin_port = port;
		memcpy(&in->sin_addr, words, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	in6->sin6_port = port;
	memcpy(&in6->sin6_addr, words, sizeof(in6->sin6_addr));
	/* Link-local addresses are those of one interface. */
	if (e->ifname)
		in6->sin6_scope_id = if_nametoindex(e->ifname);
	return sizeof(*in6);
}

const char *inetsk_show(const InetSkEntry *e, bool peer)
{
	static char texts[4][INET6_ADDRSTRLEN + 16];
	static unsigned int next;
	char *text = texts[next++ % 4], host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(e->family, peer ? e->dst_addr : e->src_addr, host, sizeof(host));
	snprintf(text, sizeof(texts[0]), e->family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, peer ? e->dst_port : e->src_port);
	return text;
}

static bool is_zero(const InetSkEntry *e, bool peer)
{
	const uint32_t *words = peer ? e->dst_addr : e->src_addr;

	for (size_t i = 0; i < (e->family == AF_INET ? 1 : 4); i++)
		if (words[i])
			return false;
	return true;
}

/* --- dump --- */

static bool inetsk_recognise(const struct fd_info *info)
{
	int family = sk_family(info);

	return family == AF_INET || family == AF_INET6;
}

static void dump_address(const struct sockaddr_storage *address, InetSkEntry *e, bool peer)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	size_t words = e->family == AF_INET ? 1 : 4;
	uint32_t *copy = xzalloc(4 * sizeof(*copy));
	uint16_t port = 0;
	char name[IF_NAMESIZE];

	if (address->ss_family == AF_INET) {
		memcpy(copy, &in->sin_addr, sizeof(in->sin_addr));
		port = ntohs(in->sin_port);
	} else if (address->ss_family == AF_INET6) {
		memcpy(copy, &in6->sin6_addr, sizeof(in6->sin6_addr));
		port = ntohs(in6->sin6_port);
		if (in6->sin6_scope_id && !e->ifname && if_indextoname(in6->sin6_scope_id, name))
			e->ifname = xstrdup(name);
	}
	if (peer) {
		e->dst_addr = copy;
		e->n_dst_addr = words;
		e->dst_port = port;
	} else {
		e->src_addr = copy;
		e->n_src_addr = words;
		e->src_port = port;
	}
}

/* Differs from what a new socket has. */
static bool changed(int fd, int fresh, int level, int name, int *value)
{
	*value = sk_get_int(fd, level, name);
	return *value != sk_get_int(fresh, level, name);
}

static IpOptsEntry *dump_ip_opts(const struct fd_info *info, const InetSkEntry *e)
{
	IpOptsEntry *o = xzalloc(sizeof(*o));
	auto_fd fresh = socket(e->family, e->type | SOCK_CLOEXEC, e->proto);
	int fd = info->dup, value;

	ip_opts_entry__init(o);
	if (sk_get_int(fd, SOL_IP, IP_FREEBIND))
		o->has_freebind = o->freebind = true;
	if (sk_get_int(fd, SOL_IP, IP_PKTINFO))
		o->has_pktinfo = o->pktinfo = true;
	if (changed(fd, fresh, SOL_IP, IP_TOS, &value)) {
		o->has_tos = true;
		o->tos = value;
	}
	if (changed(fd, fresh, SOL_IP, IP_TTL, &value)) {
		o->has_ttl = true;
		o->ttl = value;
	}
	if (e->type == SOCK_RAW) {
		IpOptsRawEntry *raw = xzalloc(sizeof(*raw));
		uint32_t filter[FILTER_WORDS_MAX] = { 0 };
		socklen_t n = sizeof(filter);
		bool v6 = e->family == AF_INET6;

		ip_opts_raw_entry__init(raw);
		o->raw = raw;
		if (sk_get_int(fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_HDRINCL : IP_HDRINCL))
			raw->has_hdrincl = raw->hdrincl = true;
		if (!v6 && sk_get_int(fd, SOL_IP, IP_NODEFRAG))
			raw->has_nodefrag = raw->nodefrag = true;
		if (!v6 && sk_get_int(fd, SOL_IP, IP_CHECKSUM))
			raw->has_checksum = raw->checksum = true;
		if ((e->proto == IPPROTO_ICMP || e->proto == IPPROTO_ICMPV6) &&
		    getsockopt(fd, v6 ? SOL_ICMPV6 : SOL_RAW_, v6 ? ICMPV6_FILTER_ : ICMP_FILTER, filter, &n) == 0) {
			raw->n_icmpv_filter = n / sizeof(uint32_t);
			raw->icmpv_filter = xzalloc(sizeof(filter));
			memcpy(raw->icmpv_filter, filter, n);
		}
	}
	return o;
}

static int take_shutdown(const struct nlmsghdr *answer, void *arg)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(answer);
	InetSkEntry *e = arg;
	const uint8_t *bits;
	size_t n;

	if (msg->idiag_inode != e->ino || !(bits = sk_diag_attribute(answer, sizeof(*msg), INET_DIAG_SHUTDOWN, &n)) || !n || !*bits)
		return 0;
	e->has_shutdown = true;
	e->shutdown = *bits & 3; /* RCV_SHUTDOWN 1, SEND_SHUTDOWN 2: enum sk_shutdown */
	return 0;
}

static int dump_datagram(struct dump *dump, const struct fd_info *info, InetSkEntry *e, const char *what)
{
	struct inet_diag_req_v2 request = {
		.sdiag_family = e->family, .sdiag_protocol = e->proto, .idiag_ext = 1 << (INET_DIAG_SHUTDOWN - 1), .idiag_states = ~0U,
	};
	int queued = 0;

	if ((e->proto == IPPROTO_UDP || e->proto == IPPROTO_UDPLITE) && e->state == INETSK_ESTABLISHED &&
	    sk_diag_dump(&request, sizeof(request), take_shutdown, e) < 0)
		return -1;
	if (ioctl(info->dup, TIOCOUTQ, &queued) == 0 && queued && sk_get_int(info->dup, IPPROTO_UDP, 1 /* UDP_CORK */))
		return err_set(ENOTSUP, "%s is a corked UDP socket with unsent data, which cannot be dumped", what);
	return multicast_dump(info->dup, e, what) < 0 || udp_queue_dump(dump, info, e, what) < 0 ? -1 : 0;
}

static int dump_tcp(struct dump *dump, const struct fd_info *info, InetSkEntry *e, const char *what)
{
	struct pollfd end = { .fd = info->dup, .events = POLLRDHUP }, urgent = { .fd = info->dup, .events = POLLPRI };
	struct tcp_info tcp;
	socklen_t n = sizeof(tcp);

	if (getsockopt(info->dup, SOL_TCP, TCP_INFO, &tcp, &n) < 0)
		return err_errno("%s: its state cannot be read", what);
	e->state = tcp.tcpi_state;
	e->tcp_opts = xzalloc(sizeof(*e->tcp_opts));
	tcp_opts_entry__init(e->tcp_opts);
#define OPTION(field, name) e->tcp_opts->has_##field = true, e->tcp_opts->field = sk_get_int(info->dup, SOL_TCP, name)
	OPTION(cork, TCP_CORK);
	OPTION(nodelay, TCP_NODELAY);
	OPTION(keepcnt, TCP_KEEPCNT);
	OPTION(keepidle, TCP_KEEPIDLE);
	OPTION(keepintvl, TCP_KEEPINTVL);
#undef OPTION
	if (e->opts->so_keepalive) {
		e->opts->has_tcp_keepcnt = e->opts->has_tcp_keepidle = e->opts->has_tcp_keepintvl = true;
		e->opts->tcp_keepcnt = e->tcp_opts->keepcnt;
		e->opts->tcp_keepidle = e->tcp_opts->keepidle;
		e->opts->tcp_keepintvl = e->tcp_opts->keepintvl;
	}
	if (e->state == INETSK_LISTEN) {
		/* Of a listener: tcp(7), TCP_INFO. */
		e->backlog = tcp.tcpi_sacked;
		if (tcp.tcpi_unacked)
			return tcp_refuse_backlog(dump, what, tcp.tcpi_unacked);
		return 0;
	}
	if (poll(&urgent, 1, 0) > 0 && urgent.revents & POLLPRI)
		pr_warn("%s: the urgent byte (MSG_OOB) that it has received will be one of the stream after a restore", what);
	/* No end from the peer, and yet nothing more to be read: shutdown(2), which no state tells. */
	if ((e->state == INETSK_ESTABLISHED || e->state == INETSK_FIN_WAIT1 || e->state == INETSK_FIN_WAIT2) && poll(&end, 1, 0) > 0 &&
	    end.revents & POLLRDHUP) {
		e->has_shutdown = true;
		e->shutdown = SK_SHUTDOWN__READ;
	}
	return tcp_dump(dump, info, e, what);
}

static int inetsk_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	InetSkEntry *e = xzalloc(sizeof(*e));
	struct sockaddr_storage address = { 0 };
	socklen_t n = sizeof(address);
	bool connected;
	char what[96];

	inet_sk_entry__init(e);
	entry->isk = e;
	snprintf(what, sizeof(what), "pid %d: descriptor %d (%.40s)", info->task->pid, info->fd, info->link);
	e->id = entry->id;
	e->ino = info->st.st_ino;
	e->family = sk_family(info);
	e->type = sk_get_int(info->dup, SOL_SOCKET, SO_TYPE);
	e->proto = sk_get_int(info->dup, SOL_SOCKET, SO_PROTOCOL);
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	e->has_ns_id = true;
	e->ns_id = dump->namespaces.net_ns_id;
	if (e->type == SOCK_RAW ? false :
				  !(e->type == SOCK_STREAM && e->proto == IPPROTO_TCP) &&
					  !(e->type == SOCK_DGRAM && (e->proto == IPPROTO_UDP || e->proto == IPPROTO_UDPLITE || e->proto == IPPROTO_ICMP ||
								      e->proto == IPPROTO_ICMPV6)))
		return err_set(ENOTSUP, "%s is an internet socket of type %u, protocol %u, which cannot be dumped", what, e->type, e->proto);
	if (getsockname(info->dup, (void *)&address, &n) < 0)
		return err_errno("%s: its address cannot be read", what);
	dump_address(&address, e, false);
	memset(&address, 0, sizeof(address));
	n = sizeof(address);
	connected = getpeername(info->dup, (void *)&address, &n) == 0;
	/* A closed connection tells its peer to SO_PEERNAME only, which takes no more room than it needs. */
	n = e->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	if (!connected && (e->type != SOCK_STREAM || getsockopt(info->dup, SOL_SOCKET, SO_PEERNAME, &address, &n) < 0))
		memset(&address, 0, sizeof(address));
	dump_address(&address, e, true);
	e->opts = sk_opts_dump(info);
	if (!e->opts)
		return -1;
	if (e->family == AF_INET6) {
		e->has_v6only = true;
		e->v6only = sk_get_int(info->dup, SOL_IPV6, IPV6_V6ONLY);
	}
	e->ip_opts = dump_ip_opts(info, e);
	e->state = connected ? INETSK_ESTABLISHED : INETSK_CLOSE;
	if (e->type == SOCK_STREAM)
		return dump_tcp(dump, info, e, what);
	return dump_datagram(dump, info, e, what);
}

/* --- restore --- */

static int inetsk_collect(struct restore *restore, FileEntry *entry)
{
	const InetSkEntry *e = entry->isk;
	size_t words;

	if (!e)
		return err_set(EINVAL, "files.img: id %u has no inet_sk_entry", entry->id);
	words = e->family == AF_INET ? 1 : 4;
	if ((e->family != AF_INET && e->family != AF_INET6) || e->n_src_addr != words || e->n_dst_addr != words || e->src_port > 0xffff ||
	    e->dst_port > 0xffff || e->state < INETSK_ESTABLISHED || e->state > INETSK_CLOSING || e->shutdown > SK_SHUTDOWN__BOTH ||
	    (e->type != SOCK_STREAM && e->type != SOCK_DGRAM && e->type != SOCK_RAW) || (e->type == SOCK_STREAM && e->proto != IPPROTO_TCP))
		return err_set(EINVAL, "files.img: id %u is an internet socket of family %u, type %u, protocol %u, state %u", entry->id, e->family,
			       e->type, e->proto, e->state);
	if (e->ip_opts && e->ip_opts->raw && e->ip_opts->raw->n_icmpv_filter > FILTER_WORDS_MAX)
		return err_set(EINVAL, "files.img: id %u has an ICMP filter of %zu words", entry->id, e->ip_opts->raw->n_icmpv_filter);
	if (multicast_check(e) < 0)
		return -1;
	if (e->type == SOCK_DGRAM)
		return udp_queue_collect(restore, e);
	return tcp_is_connected(e) ? tcp_collect(restore, e) : 0;
}

static int set_ip_opts(const InetSkEntry *e, int fd)
{
	const IpOptsEntry *o = e->ip_opts;
	const IpOptsRawEntry *raw = o ? o->raw : NULL;
	bool v6 = e->family == AF_INET6;

	if (!o)
		return 0;
	if ((o->freebind && sk_set_int(fd, SOL_IP, IP_FREEBIND, 1, "IP_FREEBIND") < 0) ||
	    (o->pktinfo && sk_set_int(fd, SOL_IP, IP_PKTINFO, 1, "IP_PKTINFO") < 0) ||
	    (o->has_tos && sk_set_int(fd, SOL_IP, IP_TOS, o->tos, "IP_TOS") < 0) ||
	    (o->has_ttl && sk_set_int(fd, SOL_IP, IP_TTL, o->ttl, "IP_TTL") < 0))
		return -1;
	if (!raw)
		return 0;
	if ((raw->hdrincl && sk_set_int(fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_HDRINCL : IP_HDRINCL, 1, "IP_HDRINCL") < 0) ||
	    (raw->nodefrag && sk_set_int(fd, SOL_IP, IP_NODEFRAG, 1, "IP_NODEFRAG") < 0) ||
	    (raw->checksum && sk_set_int(fd, SOL_IP, IP_CHECKSUM, 1, "IP_CHECKSUM") < 0))
		return -1;
	if (raw->n_icmpv_filter && setsockopt(fd, v6 ? SOL_ICMPV6 : SOL_RAW_, v6 ? ICMPV6_FILTER_ : ICMP_FILTER, raw->icmpv_filter,
					      raw->n_icmpv_filter * sizeof(uint32_t)) < 0)
		return err_errno("a raw socket's ICMP filter cannot be set");
	return 0;
}

static int set_tcp_opts(const InetSkEntry *e, int fd)
{
	const TcpOptsEntry *o = e->tcp_opts;

	if (e->type != SOCK_STREAM)
		return 0;
	if (o && ((o->has_nodelay && sk_set_int(fd, SOL_TCP, TCP_NODELAY, o->nodelay, "TCP_NODELAY") < 0) ||
		  (o->has_cork && sk_set_int(fd, SOL_TCP, TCP_CORK, o->cork, "TCP_CORK") < 0) ||
		  (o->has_keepcnt && sk_set_int(fd, SOL_TCP, TCP_KEEPCNT, o->keepcnt, "TCP_KEEPCNT") < 0) ||
		  (o->has_keepidle && sk_set_int(fd, SOL_TCP, TCP_KEEPIDLE, o->keepidle, "TCP_KEEPIDLE") < 0) ||
		  (o->has_keepintvl && sk_set_int(fd, SOL_TCP, TCP_KEEPINTVL, o->keepintvl, "TCP_KEEPINTVL") < 0)))
		return -1;
	if (!o && ((e->opts->has_tcp_keepcnt && sk_set_int(fd, SOL_TCP, TCP_KEEPCNT, e->opts->tcp_keepcnt, "TCP_KEEPCNT") < 0) ||
		   (e->opts->has_tcp_keepidle && sk_set_int(fd, SOL_TCP, TCP_KEEPIDLE, e->opts->tcp_keepidle, "TCP_KEEPIDLE") < 0) ||
		   (e->opts->has_tcp_keepintvl && sk_set_int(fd, SOL_TCP, TCP_KEEPINTVL, e->opts->tcp_keepintvl, "TCP_KEEPINTVL") < 0)))
		return -1;
	return 0;
}

static int start_listening(const InetSkEntry *e, int fd)
{
	if (listen(fd, e->backlog) < 0)
		return err_errno("an internet socket cannot listen at %s", inetsk_show(e, false));
	return 0;
}

static int bind_and_connect(const InetSkEntry *e, int fd)
{
	struct sockaddr_storage address;
	socklen_t n = inetsk_address(e, false, &address);

	/* getsockname of a raw socket gives its protocol as the port. */
	if ((!is_zero(e, false) || (e->src_port && e->type != SOCK_RAW)) && bind(fd, (void *)&address, n) < 0)
		return err_errno("an internet socket cannot be bound to %s", inetsk_show(e, false));
	if (e->state == INETSK_LISTEN && tcp_repair_allowed())
		return start_listening(e, fd);
	if (e->state != INETSK_ESTABLISHED)
		return 0;
	n = inetsk_address(e, true, &address);
	if (connect(fd, (void *)&address, n) < 0)
		return err_errno("an internet socket cannot be connected to %s", inetsk_show(e, true));
	if (e->shutdown && shutdown(fd, e->shutdown - 1) < 0)
		return err_errno("an internet socket cannot be shut down");
	return 0;
}

static int inetsk_open(struct restore *restore, FileEntry *entry)
{
	const InetSkEntry *e = entry->isk;
	auto_fd fd = socket(e->family, e->type | SOCK_CLOEXEC | SOCK_NONBLOCK, e->proto);
	int result;

	if (fd < 0)
		return err_errno("cannot make an internet socket of type %u, protocol %u", e->type, e->proto);
	if (e->family == AF_INET6 && e->has_v6only && sk_set_int(fd, SOL_IPV6, IPV6_V6ONLY, e->v6only, "IPV6_V6ONLY") < 0)
		return -1;
	/* The type of service sets the priority as well, which is to have the last word. */
	if (set_ip_opts(e, fd) < 0 || sk_opts_restore(e->opts, fd) < 0)
		return -1;
	/* A listener and the connections that came through it have the same port. It listens now, as long as those of the tree, which are in
	 * repair mode until all files are open, do not mind. */
	if ((e->type == SOCK_STREAM || udp_queue_by_name()) && sk_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR") < 0)
		return -1;
	if (multicast_restore(e, fd) < 0)
		return -1;
	if (tcp_is_connected(e) ? tcp_open(restore, e, fd) < 0 : bind_and_connect(e, fd) < 0)
		return -1;
	/* It may be another socket now. */
	if (tcp_is_connected(e) && !tcp_repair_allowed() &&
	    (set_ip_opts(e, fd) < 0 || sk_opts_restore(e->opts, fd) < 0 || sk_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR") < 0))
		return -1;
	result = fd;
	fd = -1;
	return result;
}

static int finish_one(struct restore *restore, const InetSkEntry *e, int fd)
{
	if (tcp_is_connected(e) && tcp_finish(restore, e, fd) < 0)
		return -1;
	if (tcp_is_connected(e) && e->shutdown & SK_SHUTDOWN__READ && shutdown(fd, SHUT_RD) < 0 && errno != ENOTCONN)
		return err_errno("its receiving end cannot be shut down");
	if (set_tcp_opts(e, fd) < 0)
		return -1;
	if (e->opts->has_reuseaddr && sk_set_int(fd, SOL_SOCKET, SO_REUSEADDR, e->opts->reuseaddr, "SO_REUSEADDR") < 0)
		return -1;
	return sk_flags_restore(fd, e->flags);
}

static bool listens_late(const struct restore_file *file)
{
	return file->kind == &inetsk_kind && file->owner && file->entry->isk->type == SOCK_STREAM && file->entry->isk->state == INETSK_LISTEN &&
	       !tcp_repair_allowed();
}

/* Where connections are made anew (tcp_within.h) nobody listens before all are: one may have taken a listener at the same address for a
 * moment. And none gives up SO_REUSEADDR before all listen, for which the kernel wants all sockets of the port to have it, nor before
 * datagrams that wait have been sent again from the addresses of their senders. */
static int start_all(struct restore *restore, const struct restore_task *task)
{
	struct restorer_shared *shared = restore->shared;
	uint32_t expected = 0;

	for (size_t i = 0; i < restore->file_count; i++) {
		const struct restore_file *file = restore->files[i];
		bool late = listens_late(file), waiting = file->kind == &inetsk_kind && file->owner && udp_queue_has(file->entry->isk);

		if (!late && !waiting)
			continue;
		expected++;
		if (file->owner != task)
			continue;
		if (late ? start_listening(file->entry->isk, file->slot) < 0 : udp_queue_fill(file->entry->isk, file->slot) < 0)
			return -1;
		__atomic_fetch_add(&shared->inet_started, 1, __ATOMIC_SEQ_CST);
	}
	while (__atomic_load_n(&shared->inet_started, __ATOMIC_SEQ_CST) < expected) {
		if (__atomic_load_n(&shared->error_owner, __ATOMIC_SEQ_CST) || __atomic_load_n(&shared->stage, __ATOMIC_SEQ_CST) == STAGE_ABORT)
			return err_set(ECANCELED, "another task failed");
		nanosleep(&(struct timespec){ 0, 200000 }, NULL);
	}
	return 0;
}

static int inetsk_finish(struct restore *restore, struct restore_task *task)
{
	if (start_all(restore, task) < 0)
		return -1;
	for (size_t i = 0; i < restore->file_count; i++) {
		const struct restore_file *file = restore->files[i];

		if (file->owner == task && file->kind == &inetsk_kind && finish_one(restore, file->entry->isk, file->slot) < 0)
			return err_context("internet socket %s", inetsk_show(file->entry->isk, false));
	}
	return 0;
}

static int inetsk_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->isk->fown, fd);
}

const struct fd_kind inetsk_kind = {
	.type = FD_TYPES__INETSK,
	.name = "internet socket",
	.recognise = inetsk_recognise,
	.dump = inetsk_dump,
	.collect = inetsk_collect,
	.open = inetsk_open,
	.finish = inetsk_finish,
	.settle = inetsk_settle,
	.forget = multicast_forget,
};
