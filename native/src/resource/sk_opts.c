/* SPDX-License-Identifier: MIT */
#include "resource/sk_opts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/in6.h>
#include <linux/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "tree/task.h"

/* Newer than the C library's headers: asm-generic/socket.h. */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* net/udplite.h of the kernel; udplite(7) */
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11

/* linux/in.h, linux/in6.h, linux/tcp.h */
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IP_CHECKSUM
#define IP_CHECKSUM 23
#endif
#ifndef IP_RECVFRAGSIZE
#define IP_RECVFRAGSIZE 25
#endif
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY 37
#endif

/* SO_BUF_LOCK: sizes that were set by hand (include/net/sock.h). */
#define SNDBUF_LOCK 1
#define RCVBUF_LOCK 2

/* Without a field in the images. Kept in pcr_options where they differ from a new socket's. Filters first: SO_LOCK_FILTER ends all that. */
static const struct other_option {
	int level, name;
	int sockets; /* 1: all; 2: AF_INET and AF_INET6; 4: AF_INET6; 8: TCP; 512: TCP that listens; 16 and 32: as 2 and 4 but not TCP; 64: AF_NETLINK; 128: UDP; 256: UDP-Lite */
	const char *what;
} others[] = {
	{ SOL_SOCKET, SO_TIMESTAMP, 1, "SO_TIMESTAMP" },
	{ SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS" },
	{ SOL_SOCKET, SO_TIMESTAMPING, 1, "SO_TIMESTAMPING" },
	{ SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL" },
	{ SOL_SOCKET, SO_PEEK_OFF, 1, "SO_PEEK_OFF" },
	{ SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY" },
	{ SOL_SOCKET, SO_MAX_PACING_RATE, 1, "SO_MAX_PACING_RATE" },
	{ SOL_SOCKET, SO_BUSY_POLL, 1, "SO_BUSY_POLL" },
	{ SOL_SOCKET, SO_PASSPIDFD, 1, "SO_PASSPIDFD" },
	{ SOL_SOCKET, SO_PASSRIGHTS, 1, "SO_PASSRIGHTS" },
	{ SOL_IP, IP_MULTICAST_TTL, 16, "IP_MULTICAST_TTL" },
	{ SOL_IP, IP_MULTICAST_LOOP, 16, "IP_MULTICAST_LOOP" },
	{ SOL_IP, IP_MTU_DISCOVER, 2, "IP_MTU_DISCOVER" },
	{ SOL_IP, IP_RECVERR, 2, "IP_RECVERR" },
	{ SOL_IP, IP_RECVTTL, 2, "IP_RECVTTL" },
	{ SOL_IP, IP_RECVTOS, 2, "IP_RECVTOS" },
	{ SOL_IP, IP_RECVORIGDSTADDR, 2, "IP_RECVORIGDSTADDR" },
	{ SOL_IP, IP_TRANSPARENT, 2, "IP_TRANSPARENT" },
	{ SOL_IP, IP_MINTTL, 2, "IP_MINTTL" },
	{ SOL_IP, IP_BIND_ADDRESS_NO_PORT, 2, "IP_BIND_ADDRESS_NO_PORT" },
	{ SOL_IPV6, IPV6_RECVPKTINFO, 4, "IPV6_RECVPKTINFO" },
	{ SOL_IPV6, IPV6_RECVHOPLIMIT, 4, "IPV6_RECVHOPLIMIT" },
	{ SOL_IPV6, IPV6_RECVTCLASS, 4, "IPV6_RECVTCLASS" },
	{ SOL_IPV6, IPV6_RECVERR, 4, "IPV6_RECVERR" },
	{ SOL_IPV6, IPV6_UNICAST_HOPS, 4, "IPV6_UNICAST_HOPS" },
	{ SOL_IPV6, IPV6_MULTICAST_HOPS, 32, "IPV6_MULTICAST_HOPS" },
	{ SOL_IPV6, IPV6_MULTICAST_LOOP, 32, "IPV6_MULTICAST_LOOP" },
	{ SOL_IPV6, IPV6_MTU_DISCOVER, 4, "IPV6_MTU_DISCOVER" },
	{ SOL_IPV6, IPV6_TCLASS, 4, "IPV6_TCLASS" },
	{ SOL_IPV6, IPV6_AUTOFLOWLABEL, 4, "IPV6_AUTOFLOWLABEL" },
	{ SOL_TCP, TCP_SYNCNT, 8, "TCP_SYNCNT" },
	{ SOL_TCP, TCP_LINGER2, 8, "TCP_LINGER2" },
	{ SOL_TCP, TCP_DEFER_ACCEPT, 8, "TCP_DEFER_ACCEPT" },
	{ SOL_TCP, TCP_USER_TIMEOUT, 8, "TCP_USER_TIMEOUT" },
	{ SOL_TCP, TCP_NOTSENT_LOWAT, 8, "TCP_NOTSENT_LOWAT" },
	{ SOL_TCP, TCP_FASTOPEN, 8, "TCP_FASTOPEN" },
	{ SOL_TCP, TCP_CONGESTION, 8, "TCP_CONGESTION" },
	{ SOL_TCP, TCP_SAVE_SYN, 8, "TCP_SAVE_SYN" },
	{ SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 8, "TCP_FASTOPEN_NO_COOKIE" },
	{ SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 8, "TCP_THIN_LINEAR_TIMEOUTS" },
	{ SOL_TCP, TCP_INQ, 8, "TCP_INQ" },
	{ SOL_TCP, TCP_TX_DELAY, 8, "TCP_TX_DELAY" },
	{ SOL_TCP, TCP_MAXSEG, 512, "TCP_MAXSEG" },
	{ SOL_TCP, TCP_WINDOW_CLAMP, 512, "TCP_WINDOW_CLAMP" },
	{ SOL_SOCKET, SO_INCOMING_CPU, 512, "SO_INCOMING_CPU" },
	{ SOL_IP, IP_LOCAL_PORT_RANGE, 2, "IP_LOCAL_PORT_RANGE" },
	{ SOL_IP, IP_UNICAST_IF, 16, "IP_UNICAST_IF" },
	{ SOL_IP, IP_PASSSEC, 2, "IP_PASSSEC" },
	{ SOL_IP, IP_RECVOPTS, 16, "IP_RECVOPTS" },
	{ SOL_IP, IP_CHECKSUM, 16, "IP_CHECKSUM" },
	{ SOL_IP, IP_RECVFRAGSIZE, 16, "IP_RECVFRAGSIZE" },
	{ SOL_IPV6, IPV6_UNICAST_IF, 32, "IPV6_UNICAST_IF" },
	{ SOL_IPV6, IPV6_RECVORIGDSTADDR, 4, "IPV6_RECVORIGDSTADDR" },
	{ SOL_IPV6, IPV6_TRANSPARENT, 4, "IPV6_TRANSPARENT" },
	{ SOL_IPV6, IPV6_FREEBIND, 4, "IPV6_FREEBIND" },
	{ SOL_IPV6, IPV6_DONTFRAG, 4, "IPV6_DONTFRAG" },
	{ SOL_IPV6, IPV6_MINHOPCOUNT, 4, "IPV6_MINHOPCOUNT" },
	{ SOL_IPV6, IPV6_MULTICAST_ALL, 32, "IPV6_MULTICAST_ALL" },
	{ SOL_IP, IP_MULTICAST_ALL, 16, "IP_MULTICAST_ALL" },
	{ SOL_IP, IP_MULTICAST_IF, 16, "IP_MULTICAST_IF" },
	{ SOL_IPV6, IPV6_MULTICAST_IF, 32, "IPV6_MULTICAST_IF" },
	{ IPPROTO_UDP, UDP_CORK, 128, "UDP_CORK" },
	{ IPPROTO_UDP, UDP_SEGMENT, 128, "UDP_SEGMENT" },
	{ IPPROTO_UDP, UDP_GRO, 128, "UDP_GRO" },
	{ IPPROTO_UDP, UDP_NO_CHECK6_TX, 128, "UDP_NO_CHECK6_TX" },
	{ IPPROTO_UDP, UDP_NO_CHECK6_RX, 128, "UDP_NO_CHECK6_RX" },
	{ IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 256, "UDPLITE_SEND_CSCOV" },
	{ IPPROTO_UDPLITE, UDPLITE_RECV_CSCOV, 256, "UDPLITE_RECV_CSCOV" },
	{ SOL_NETLINK, NETLINK_PKTINFO, 64, "NETLINK_PKTINFO" },
	{ SOL_NETLINK, NETLINK_BROADCAST_ERROR, 64, "NETLINK_BROADCAST_ERROR" },
	{ SOL_NETLINK, NETLINK_NO_ENOBUFS, 64, "NETLINK_NO_ENOBUFS" },
	{ SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 64, "NETLINK_LISTEN_ALL_NSID" },
	{ SOL_NETLINK, NETLINK_CAP_ACK, 64, "NETLINK_CAP_ACK" },
	{ SOL_NETLINK, NETLINK_EXT_ACK, 64, "NETLINK_EXT_ACK" },
	{ SOL_NETLINK, NETLINK_GET_STRICT_CHK, 64, "NETLINK_GET_STRICT_CHK" },
	{ SOL_SOCKET, SO_LOCK_FILTER, 1, "SO_LOCK_FILTER" },
};
#define OTHER_VALUE_MAX 16 /* TCP_CA_NAME_MAX, the longest */

int sk_family(const struct fd_info *info)
{
	int family;
	socklen_t n = sizeof(family);

	if (!S_ISSOCK(info->st.st_mode) || info->dup < 0 || getsockopt(info->dup, SOL_SOCKET, SO_DOMAIN, &family, &n) < 0)
		return -1;
	return family;
}

int sk_get_int(int fd, int level, int name)
{
	int value = 0;
	socklen_t n = sizeof(value);

	return getsockopt(fd, level, name, &value, &n) < 0 ? 0 : value;
}

int sk_set_int(int fd, int level, int name, int value, const char *what)
{
	if (sk_get_int(fd, level, name) == value)
		return 0;
	if (setsockopt(fd, level, name, &value, sizeof(value)) < 0)
		return err_errno("a socket's %s cannot be set to %d", what, value);
	return 0;
}

/* --- dump --- */

/* SO_GET_FILTER counts in instructions, not bytes (net/core/filter.c's manual: Documentation/networking/filter.rst). */
static int dump_filter(const struct fd_info *info, SkOptsEntry *e)
{
	socklen_t count = 0;
	auto_free struct sock_filter *filter = NULL;

	if (getsockopt(info->dup, SOL_SOCKET, SO_GET_FILTER, NULL, &count) < 0) {
		if (errno == EACCES)
			return err_set(ENOTSUP,
				       "pid %d: descriptor %d is a socket with an eBPF filter, whose program cannot be read: detach it before the dump",
				       info->task->pid, info->fd);
		return 0;
	}
	if (!count)
		return 0;
	filter = xzalloc(count * sizeof(*filter));
	if (getsockopt(info->dup, SOL_SOCKET, SO_GET_FILTER, filter, &count) < 0)
		return err_errno("pid %d: descriptor %d: its socket filter cannot be read", info->task->pid, info->fd);
	e->so_filter = xzalloc(count * sizeof(*e->so_filter));
	for (size_t i = 0; i < count; i++)
		e->so_filter[e->n_so_filter++] = (uint64_t)filter[i].code << 48 | (uint64_t)filter[i].jt << 40 | (uint64_t)filter[i].jf << 32 |
						 filter[i].k;
	return 0;
}

static bool applies(const struct other_option *o, int family, int type, int protocol, bool listens)
{
	if (o->sockets == 512 && !listens)
		return false;
	if (o->sockets == 8 || o->sockets == 512)
		return (family == AF_INET || family == AF_INET6) && type == SOCK_STREAM && (protocol == IPPROTO_TCP || !protocol);
	if (o->sockets == 16)
		return (family == AF_INET || family == AF_INET6) && type != SOCK_STREAM;
	if (o->sockets == 128 || o->sockets == 256)
		return (family == AF_INET || family == AF_INET6) && type == SOCK_DGRAM && protocol == (o->sockets == 128 ? IPPROTO_UDP : IPPROTO_UDPLITE);
	if (o->sockets == 64)
		return family == AF_NETLINK;
	if (o->sockets == 32)
		return family == AF_INET6 && type != SOCK_STREAM;
	return o->sockets == 1 || (o->sockets == 2 && (family == AF_INET || family == AF_INET6)) || (o->sockets == 4 && family == AF_INET6);
}

/* The options without a field, where a new socket has another value. */
static void dump_others(const struct fd_info *info, SkOptsEntry *e)
{
	int family = sk_family(info), type = sk_get_int(info->dup, SOL_SOCKET, SO_TYPE);
	int protocol = sk_get_int(info->dup, SOL_SOCKET, SO_PROTOCOL);
	auto_fd fresh = socket(family, type | SOCK_CLOEXEC, protocol);
	/* Of a connection, also a closed one, the kernel has changed them itself. */
	bool listens = sk_get_int(info->dup, SOL_SOCKET, SO_ACCEPTCONN);
	size_t room = 0;

	for (size_t i = 0; i < ARRAY_LEN(others) && fresh >= 0; i++) {
		const struct other_option *o = &others[i];
		char value[OTHER_VALUE_MAX] = { 0 }, usual[OTHER_VALUE_MAX] = { 0 };
		socklen_t n = sizeof(value), m = sizeof(usual);
		PcrSkOption *p;

		if (!applies(o, family, type, protocol, listens) || getsockopt(info->dup, o->level, o->name, value, &n) < 0 ||
		    getsockopt(fresh, o->level, o->name, usual, &m) < 0 || (n == m && !memcmp(value, usual, n)))
			continue;
		p = xzalloc(sizeof(*p));
		pcr_sk_option__init(p);
		p->level = o->level;
		p->name = o->name;
		p->value.len = n;
		p->value.data = xzalloc(n);
		memcpy(p->value.data, value, n);
		*(PcrSkOption **)array_push(&e->pcr_options, &e->n_pcr_options, &room, sizeof(p)) = p;
	}
}

SkOptsEntry *sk_opts_dump(const struct fd_info *info)
{
	SkOptsEntry *e = xzalloc(sizeof(*e));
	int fd = info->dup, passcred;
	struct timeval snd = { 0 }, rcv = { 0 };
	struct linger linger = { 0 };
	char device[IFNAMSIZ] = "";
	socklen_t n;

	sk_opts_entry__init(e);
	e->so_sndbuf = sk_get_int(fd, SOL_SOCKET, SO_SNDBUF);
	e->so_rcvbuf = sk_get_int(fd, SOL_SOCKET, SO_RCVBUF);
	n = sizeof(snd);
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &snd, &n);
	n = sizeof(rcv);
	getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &rcv, &n);
	e->so_snd_tmo_sec = snd.tv_sec;
	e->so_snd_tmo_usec = snd.tv_usec;
	e->so_rcv_tmo_sec = rcv.tv_sec;
	e->so_rcv_tmo_usec = rcv.tv_usec;
#define FLAG(field, name) e->has_##field = true, e->field = sk_get_int(fd, SOL_SOCKET, name)
	FLAG(reuseaddr, SO_REUSEADDR);
	FLAG(so_reuseport, SO_REUSEPORT);
	FLAG(so_priority, SO_PRIORITY);
	FLAG(so_rcvlowat, SO_RCVLOWAT);
	FLAG(so_dontroute, SO_DONTROUTE);
	FLAG(so_no_check, SO_NO_CHECK);
	FLAG(so_broadcast, SO_BROADCAST);
	FLAG(so_keepalive, SO_KEEPALIVE);
	FLAG(so_oobinline, SO_OOBINLINE);
	FLAG(so_buf_lock, SO_BUF_LOCK);
#undef FLAG
	/* Since Linux 6.16 only some families know these. */
	n = sizeof(passcred);
	if (getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &passcred, &n) == 0) {
		e->has_so_passcred = e->has_so_passsec = true;
		e->so_passcred = passcred;
		e->so_passsec = sk_get_int(fd, SOL_SOCKET, SO_PASSSEC);
	}
	e->so_mark = sk_get_int(fd, SOL_SOCKET, SO_MARK);
	e->has_so_mark = e->so_mark != 0;
	n = sizeof(linger);
	if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &n) == 0 && linger.l_onoff) {
		e->has_so_linger = true;
		e->so_linger = linger.l_linger;
	}
	n = sizeof(device);
	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &n) == 0 && n && device[0])
		e->so_bound_dev = xstrdup(device);
	if (dump_filter(info, e) < 0) {
		sk_opts_entry__free_unpacked(e, NULL);
		return NULL;
	}
	dump_others(info, e);
	return e;
}

/* --- restore --- */

/* The kernel doubles what is set (socket(7)); the privileged option goes beyond the limits of the system. */
static int set_buffer(int fd, int name, int force, uint32_t size, const char *what)
{
	int value = size / 2;

	if ((uint32_t)sk_get_int(fd, SOL_SOCKET, name) == size)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, force, &value, sizeof(value)) < 0 && setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)) < 0)
		return err_errno("a socket's %s cannot be set to %u", what, size);
	if ((uint32_t)sk_get_int(fd, SOL_SOCKET, name) < size)
		pr_warn("a socket's %s is %d where it was %u", what, sk_get_int(fd, SOL_SOCKET, name), size);
	return 0;
}

static int set_timeout(int fd, int name, uint64_t sec, uint64_t usec, const char *what)
{
	struct timeval t = { sec, usec };

	if (!sec && !usec)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, name, &t, sizeof(t)) < 0)
		return err_errno("a socket's %s cannot be set", what);
	return 0;
}

static int set_filter(int fd, const SkOptsEntry *opts)
{
	auto_free struct sock_filter *filter = NULL;
	struct sock_fprog program = { .len = opts->n_so_filter };

	if (!opts->n_so_filter)
		return 0;
	if (opts->n_so_filter > BPF_MAXINSNS)
		return err_set(EINVAL, "files.img: a socket filter of %zu instructions", opts->n_so_filter);
	program.filter = filter = xzalloc(opts->n_so_filter * sizeof(*filter));
	for (size_t i = 0; i < opts->n_so_filter; i++) {
		uint64_t f = opts->so_filter[i];

		filter[i] = (struct sock_filter){ f >> 48, f >> 40, f >> 32, f };
	}
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return err_errno("a socket filter of %zu instructions cannot be attached", opts->n_so_filter);
	return 0;
}

/* Only what dump_others would have written. */
static int set_others(int fd, const SkOptsEntry *opts)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		for (size_t j = 0; j < opts->n_pcr_options; j++) {
			const PcrSkOption *p = opts->pcr_options[j];

			if ((int)p->level != others[i].level || (int)p->name != others[i].name)
				continue;
			if (p->value.len > OTHER_VALUE_MAX)
				return err_set(EINVAL, "files.img: a socket's %s of %zu bytes", others[i].what, p->value.len);
			if (setsockopt(fd, p->level, p->name, p->value.data, p->value.len) < 0)
				return err_errno("a socket's %s cannot be set", others[i].what);
		}
	return 0;
}

int sk_opts_restore(const SkOptsEntry *o, int fd)
{
	struct linger linger = { 1, o->so_linger };
	int locks = o->has_so_buf_lock ? (int)o->so_buf_lock & (SNDBUF_LOCK | RCVBUF_LOCK) : -1;

	if (set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, o->so_sndbuf, "SO_SNDBUF") < 0 ||
	    set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, o->so_rcvbuf, "SO_RCVBUF") < 0)
		return -1;
	if (locks >= 0 && setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &locks, sizeof(locks)) < 0 && errno != ENOPROTOOPT)
		return err_errno("a socket's SO_BUF_LOCK cannot be set");
	if (set_timeout(fd, SO_SNDTIMEO, o->so_snd_tmo_sec, o->so_snd_tmo_usec, "SO_SNDTIMEO") < 0 ||
	    set_timeout(fd, SO_RCVTIMEO, o->so_rcv_tmo_sec, o->so_rcv_tmo_usec, "SO_RCVTIMEO") < 0)
		return -1;
#define SET(field, name) (o->has_##field && sk_set_int(fd, SOL_SOCKET, name, o->field, #name) < 0)
	if (SET(reuseaddr, SO_REUSEADDR) || SET(so_reuseport, SO_REUSEPORT) || SET(so_priority, SO_PRIORITY) || SET(so_rcvlowat, SO_RCVLOWAT) ||
	    SET(so_mark, SO_MARK) || SET(so_passcred, SO_PASSCRED) || SET(so_passsec, SO_PASSSEC) || SET(so_dontroute, SO_DONTROUTE) ||
	    SET(so_no_check, SO_NO_CHECK) || SET(so_broadcast, SO_BROADCAST) || SET(so_keepalive, SO_KEEPALIVE) ||
	    SET(so_oobinline, SO_OOBINLINE))
		return -1;
#undef SET
	if (o->has_so_linger && setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)
		return err_errno("a socket's SO_LINGER cannot be set");
	if (o->so_bound_dev && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->so_bound_dev, strlen(o->so_bound_dev) + 1) < 0)
		return err_errno("a socket cannot be bound to the device %s", o->so_bound_dev);
	return set_filter(fd, o) < 0 || set_others(fd, o) < 0 ? -1 : 0;
}

int sk_flags_restore(int fd, uint32_t flags)
{
	if (fcntl(fd, F_SETFL, flags & (O_NONBLOCK | O_ASYNC | O_APPEND | O_NOATIME | O_DIRECT)) < 0)
		return err_errno("a socket's flags cannot be set to 0%o", flags);
	return 0;
}
