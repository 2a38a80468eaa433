/* SPDX-License-Identifier: MIT
 *
 * Internet sockets in rare states, and sockets of rare families: one kind by argument. DIR/where names the descriptor.
 */
#include "test.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static int a, b, c, d;
static char got[70000];

static const char *where(unsigned long *value)
{
	*value = a;
	return "fd";
}

static int number(int fd, int level, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	check(getsockopt(fd, level, name, &value, &n) == 0, "%d %d", level, name);
	return value;
}

static void set(int fd, int level, int name, int value)
{
	check(setsockopt(fd, level, name, &value, sizeof value) == 0, "%d %d", level, name);
}

static struct sockaddr_in name(int fd)
{
	struct sockaddr_in s;
	socklen_t n = sizeof s;

	check(getsockname(fd, (void *)&s, &n) == 0);
	return s;
}

static int bound(int type, uint32_t ip, int port)
{
	struct sockaddr_in s = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip) };
	int fd = socket(AF_INET, type, 0);

	check(fd >= 0 && bind(fd, (void *)&s, sizeof s) == 0);
	return fd;
}

/* --- groups --- */

static struct sockaddr_in group = { .sin_family = AF_INET };

static void send_group(int from)
{
	check(sendto(from, "to all", 6, 0, (void *)&group, sizeof group) == 6);
}

/* One group from two sources only, another from all but one. */
static void filters(int set)
{
	struct ip_mreq_source s = { .imr_interface.s_addr = htonl(INADDR_LOOPBACK) };
	char room[GROUP_FILTER_SIZE(4)];
	struct group_filter *f = (void *)room;
	struct ip_mreqn m = { .imr_ifindex = if_nametoindex("lo") };

	if (set)
		d = bound(SOCK_DGRAM, INADDR_ANY, 0);
	for (int i = 0; i < 3; i++) {
		struct sockaddr_in *g = (void *)&f->gf_group;
		socklen_t n = sizeof room;

		s.imr_multiaddr.s_addr = m.imr_multiaddr.s_addr = htonl(0xef010204 + (i == 2));
		s.imr_sourceaddr.s_addr = htonl(0x7f000001 + i);
		if (set) {
			if (i == 2)
				check(setsockopt(d, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) == 0);
			check(setsockopt(d, SOL_IP, i < 2 ? IP_ADD_SOURCE_MEMBERSHIP : IP_BLOCK_SOURCE, &s, sizeof s) == 0);
			continue;
		}
		memset(room, 0, sizeof room);
		f->gf_interface = m.imr_ifindex;
		f->gf_numsrc = 4;
		g->sin_family = AF_INET;
		g->sin_addr = m.imr_multiaddr;
		check(getsockopt(d, SOL_IP, MCAST_MSFILTER, f, &n) == 0, "filter %d", i);
		check(f->gf_fmode == (i < 2 ? MCAST_INCLUDE : MCAST_EXCLUDE) && f->gf_numsrc == (i < 2 ? 2 : 1), "mode %d of %d", f->gf_fmode, f->gf_numsrc);
	}
}

static void multicast_setup(void)
{
	struct ip_mreqn m = { .imr_ifindex = if_nametoindex("lo") };
	struct ipv6_mreq m6 = { .ipv6mr_interface = if_nametoindex("lo") };

	inet_pton(AF_INET, "239.1.2.3", &m.imr_multiaddr);
	inet_pton(AF_INET, "239.1.2.3", &group.sin_addr);
	a = bound(SOCK_DGRAM, INADDR_ANY, 0);
	set(a, SOL_IP, IP_MULTICAST_ALL, 0);
	group.sin_port = name(a).sin_port;
	if (setsockopt(a, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof m))
		test_skip("no groups on lo");
	inet_pton(AF_INET6, "ff02::1:42", &m6.ipv6mr_multiaddr);
	b = socket(AF_INET6, SOCK_DGRAM, 0);
	check(setsockopt(b, SOL_IPV6, IPV6_ADD_MEMBERSHIP, &m6, sizeof m6) == 0);
	filters(1);
	c = socket(AF_INET, SOCK_DGRAM, 0);
	m.imr_address.s_addr = htonl(INADDR_LOOPBACK);
	check(setsockopt(c, SOL_IP, IP_MULTICAST_IF, &m, sizeof m) == 0);
	send_group(c);
	check(recv(a, got, 9, 0) == 6);
}

static void multicast_verify(void)
{
	struct ip_mreqn m = { .imr_ifindex = if_nametoindex("lo"), .imr_multiaddr = group.sin_addr };
	struct ipv6_mreq m6 = { .ipv6mr_interface = if_nametoindex("lo") };
	struct pollfd p = { .fd = a, .events = POLLIN };

	send_group(c);
	check(poll(&p, 1, 1000) == 1 && recv(a, got, 9, 0) == 6, "the group is lost");
	inet_pton(AF_INET6, "ff02::1:42", &m6.ipv6mr_multiaddr);
	check(setsockopt(b, SOL_IPV6, IPV6_ADD_MEMBERSHIP, &m6, sizeof m6) < 0 && errno == EADDRINUSE, "the v6 group is lost");
	check(setsockopt(a, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) < 0 && errno == EADDRINUSE);
	filters(0);
}

static void packet_group_setup(void)
{
	struct packet_mreq m = { .mr_ifindex = if_nametoindex("lo"), .mr_type = PACKET_MR_PROMISC };

	a = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
	if (a < 0)
		test_skip("no packet sockets");
	check(setsockopt(a, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m) == 0);
}

static void packet_group_verify(void)
{
	struct packet_mreq m = { .mr_ifindex = if_nametoindex("lo"), .mr_type = PACKET_MR_PROMISC };

	unsigned flags = 0;
	FILE *f = fopen("/sys/class/net/lo/flags", "r");

	check(f && fscanf(f, "%x", &flags) == 1 && !fclose(f));
	check(setsockopt(a, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &m, sizeof m) == 0 && flags & IFF_PROMISC, "%x", flags);
}

static void netlink_group_setup(void)
{
	struct sockaddr_nl n = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };

	a = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	check(a >= 0 && bind(a, (void *)&n, sizeof n) == 0);
	set(a, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_NSID);
	set(a, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 34);
}

static void netlink_group_verify(void)
{
	unsigned groups[4] = { 0 };
	socklen_t n = sizeof groups;

	check(getsockopt(a, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &n) == 0);
	check(groups[0] == (RTMGRP_LINK | 1U << (RTNLGRP_NSID - 1)) && groups[1] == 2, "%x %x", groups[0], groups[1]);
}

/* --- datagrams --- */

static struct sockaddr_in from_b, from_c;

static void udp_queue_setup(void)
{
	struct sockaddr_in to;

	a = bound(SOCK_DGRAM, INADDR_LOOPBACK, 0);
	b = bound(SOCK_DGRAM, INADDR_LOOPBACK, 0);
	c = bound(SOCK_DGRAM, INADDR_LOOPBACK + 4, 0);
	from_b = name(b), from_c = name(c), to = name(a);
	check(sendto(b, "first", 5, 0, (void *)&to, sizeof to) == 5);
	check(sendto(c, "second", 6, 0, (void *)&to, sizeof to) == 6);
	check(sendto(b, "", 0, 0, (void *)&to, sizeof to) == 0);
	test_pattern(got, 60000, 7);
	check(sendto(b, got, 60000, 0, (void *)&to, sizeof to) == 60000);
	close(c);
	d = socket(AF_INET, SOCK_DGRAM, 0);
	check(connect(d, (void *)&from_b, sizeof from_b) == 0);
	to = name(d);
	check(sendto(b, "to d", 4, 0, (void *)&to, sizeof to) == 4);
}

static void datagram(int fd, const char *text, size_t size, const struct sockaddr_in *want)
{
	struct sockaddr_in from;
	socklen_t n = sizeof from;
	ssize_t length = recvfrom(fd, got, sizeof got, MSG_DONTWAIT, (void *)&from, &n);

	check(length == (ssize_t)size, "%zd, not %zu", length, size);
	check(text ? !memcmp(got, text, size) : test_pattern_ok(got, size, 7));
	check(from.sin_addr.s_addr == want->sin_addr.s_addr && from.sin_port == want->sin_port);
}

static void udp_queue_verify(void)
{
	datagram(a, "first", 5, &from_b);
	datagram(a, "second", 6, &from_c);
	datagram(a, "", 0, &from_b);
	datagram(a, NULL, 60000, &from_b);
	check(recv(a, got, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
	datagram(d, "to d", 4, &from_b);
}

static void udp6_queue_setup(void)
{
	struct sockaddr_in6 s = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	socklen_t n = sizeof s;

	a = socket(AF_INET6, SOCK_DGRAM, 0);
	if (bind(a, (void *)&s, sizeof s))
		test_skip("no IPv6");
	check(getsockname(a, (void *)&s, &n) == 0);
	b = socket(AF_INET6, SOCK_DGRAM, 0);
	check(connect(b, (void *)&s, sizeof s) == 0 && send(b, "six", 3, 0) == 3);
}

static void udp6_queue_verify(void)
{
	struct sockaddr_in6 s, t;
	socklen_t n = sizeof s, m = sizeof t;

	check(recvfrom(a, got, sizeof got, MSG_DONTWAIT, (void *)&s, &n) == 3 && !memcmp(got, "six", 3));
	check(getsockname(b, (void *)&t, &m) == 0 && t.sin6_port == s.sin6_port);
	check(send(b, "more", 4, 0) == 4 && recv(a, got, 9, 0) == 4);
}

/* --- TCP --- */

static void tcp_pair(int *client, int *server)
{
	struct sockaddr_in to;

	d = bound(SOCK_STREAM, INADDR_LOOPBACK, 0);
	check(listen(d, 5) == 0);
	to = name(d);
	*client = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(*client, (void *)&to, sizeof to) == 0);
	*server = accept(d, NULL, NULL);
	check(*server >= 0);
}

static const struct { int level, name, value; } tcp_options[] = {
	{ SOL_TCP, TCP_NODELAY, 1 }, { SOL_TCP, TCP_KEEPIDLE, 66 }, { SOL_TCP, TCP_KEEPINTVL, 7 },
	{ SOL_TCP, TCP_KEEPCNT, 3 }, { SOL_TCP, TCP_USER_TIMEOUT, 4321 }, { SOL_TCP, TCP_NOTSENT_LOWAT, 1234 }, { SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1 }, { SOL_SOCKET, SO_PRIORITY, 3 },
	{ SOL_SOCKET, SO_MARK, 7 }, { SOL_IP, IP_TOS, 8 }, { SOL_TCP, TCP_LINGER2, 9 }, { SOL_SOCKET, SO_BUSY_POLL, 0 },
	{ SOL_IP, IP_TTL, 44 }, { SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT }, { SOL_SOCKET, SO_RCVLOWAT, 5 }, { SOL_TCP, TCP_INQ, 1 },
	{ SOL_TCP, 37 /* TCP_TX_DELAY */, 1000 },
};
static int values[64];

static void tcp_options_setup(void)
{
	tcp_pair(&a, &b);
	for (size_t i = 0; i < sizeof tcp_options / sizeof *tcp_options; i++) {
		setsockopt(a, tcp_options[i].level, tcp_options[i].name, &tcp_options[i].value, sizeof(int));
	}
	for (size_t i = 0; i < sizeof tcp_options / sizeof *tcp_options; i++) {
		values[i] = number(a, tcp_options[i].level, tcp_options[i].name);
	}
	check(setsockopt(a, SOL_TCP, TCP_CONGESTION, "reno", 4) == 0);
	set(b, SOL_TCP, TCP_CORK, 1);
	/* what a cork holds back takes CAP_NET_ADMIN */
	if (!geteuid())
		check(send(b, "held back", 9, 0) == 9);
}

static void tcp_options_verify(void)
{
	socklen_t n = 16;

	for (size_t i = 0; i < sizeof tcp_options / sizeof *tcp_options; i++)
		check(number(a, tcp_options[i].level, tcp_options[i].name) == values[i], "level %d option %d is %d, was %d", tcp_options[i].level,
		      tcp_options[i].name, number(a, tcp_options[i].level, tcp_options[i].name), values[i]);
	check(getsockopt(a, SOL_TCP, TCP_CONGESTION, got, &n) == 0 && !strncmp(got, "reno", 16), "%s", got);
	check(number(b, SOL_TCP, TCP_CORK) == 1);
	set(b, SOL_TCP, TCP_CORK, 0);
	check(geteuid() || recv(a, got, 9, MSG_WAITALL) == 9);
	check(number(d, SOL_SOCKET, SO_ACCEPTCONN) == 1);
}

static const struct { int level, name, value; } listen_options[] = {
	{ SOL_TCP, TCP_DEFER_ACCEPT, 5 }, { SOL_TCP, TCP_FASTOPEN, 6 }, { SOL_TCP, TCP_SAVE_SYN, 1 }, { SOL_TCP, TCP_MAXSEG, 999 },
	{ SOL_SOCKET, SO_REUSEPORT, 1 }, { SOL_IP, IP_FREEBIND, 1 }, { SOL_IP, IP_TRANSPARENT, 1 }, { SOL_TCP, TCP_SYNCNT, 3 },
	{ SOL_TCP, TCP_FASTOPEN_NO_COOKIE, 1 }, { SOL_SOCKET, SO_INCOMING_CPU, 0 }, { SOL_TCP, TCP_NODELAY, 1 }, { SOL_TCP, TCP_KEEPIDLE, 66 },
	{ SOL_IP, 51 /* IP_LOCAL_PORT_RANGE */, 2000 << 16 | 1000 }, { SOL_TCP, TCP_WINDOW_CLAMP, 30000 },
};

static void listen_options_setup(void)
{
	a = socket(AF_INET, SOCK_STREAM, 0);
	for (size_t i = 0; i < sizeof listen_options / sizeof *listen_options; i++)
		setsockopt(a, listen_options[i].level, listen_options[i].name, &listen_options[i].value, sizeof(int));
	check(listen(a, 77) == 0);
	for (size_t i = 0; i < sizeof listen_options / sizeof *listen_options; i++)
		values[i] = number(a, listen_options[i].level, listen_options[i].name);
}

static void listen_options_verify(void)
{
	struct tcp_info info;
	socklen_t n = sizeof info;

	for (size_t i = 0; i < sizeof listen_options / sizeof *listen_options; i++)
		check(number(a, listen_options[i].level, listen_options[i].name) == values[i], "level %d option %d is %d, was %d", listen_options[i].level,
		      listen_options[i].name, number(a, listen_options[i].level, listen_options[i].name), values[i]);
	check(getsockopt(a, SOL_TCP, TCP_INFO, &info, &n) == 0 && info.tcpi_sacked == 77, "a backlog of %u", info.tcpi_sacked);
}

/* A secret shared with the peer cannot be read back. */
static void tcp_md5_setup(void)
{
	struct tcp_md5sig key = { .tcpm_keylen = 3, .tcpm_key = "abc" };
	struct sockaddr_in *s = (void *)&key.tcpm_addr;

	a = bound(SOCK_STREAM, INADDR_LOOPBACK, 0);
	s->sin_family = AF_INET;
	s->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (setsockopt(a, SOL_TCP, TCP_MD5SIG, &key, sizeof key))
		test_skip("no TCP_MD5SIG");
	check(listen(a, 3) == 0);
}

static void tcp_md5_verify(void)
{
	struct sockaddr_in to = name(a);

	b = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	check(connect(b, (void *)&to, sizeof to) < 0 && errno == EINPROGRESS, "connected without the key");
}

/* Sockets of one port in a group; only one of them listens. */
static void reuseport_setup(void)
{
	struct sockaddr_in s;

	for (int i = 0; i < 3; i++) {
		int *fd = i == 0 ? &a : i == 1 ? &b : &c;

		*fd = socket(AF_INET, SOCK_STREAM, 0);
		set(*fd, SOL_SOCKET, SO_REUSEPORT, 1);
		if (!i) {
			s = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		} else {
			s = name(a);
		}
		check(bind(*fd, (void *)&s, sizeof s) == 0);
		if (i < 2)
			check(listen(*fd, 4 + i) == 0);
	}
}

static void reuseport_verify(void)
{
	check(name(a).sin_port == name(b).sin_port && name(b).sin_port == name(c).sin_port);
	check(number(a, SOL_SOCKET, SO_ACCEPTCONN) && number(b, SOL_SOCKET, SO_ACCEPTCONN) && !number(c, SOL_SOCKET, SO_ACCEPTCONN));
	check(number(c, SOL_SOCKET, SO_REUSEPORT) == 1 && listen(c, 3) == 0);
}

/* A failed connect leaves an error behind. */
static void tcp_refused_setup(void)
{
	struct sockaddr_in to;

	b = bound(SOCK_STREAM, INADDR_LOOPBACK, 0);
	to = name(b);
	a = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(a, (void *)&to, sizeof to);
	poll(&(struct pollfd){ .fd = a, .events = POLLOUT }, 1, 1000);
}

static void tcp_refused_verify(void)
{
	int error = number(a, SOL_SOCKET, SO_ERROR);

	check(error == ECONNREFUSED || error == 0, "%d", error);
	check(send(a, "x", 1, MSG_NOSIGNAL) < 0);
}

static void tcp_v6only_setup(void)
{
	struct sockaddr_in6 s = { .sin6_family = AF_INET6 };
	socklen_t n = sizeof s;
	struct sockaddr_in t = { .sin_family = AF_INET };

	a = socket(AF_INET6, SOCK_STREAM, 0);
	if (a < 0)
		test_skip("no IPv6");
	set(a, SOL_IPV6, IPV6_V6ONLY, 1);
	check(bind(a, (void *)&s, sizeof s) == 0 && listen(a, 3) == 0 && getsockname(a, (void *)&s, &n) == 0);
	b = socket(AF_INET, SOCK_STREAM, 0);
	t.sin_port = s.sin6_port;
	check(bind(b, (void *)&t, sizeof t) == 0 && listen(b, 3) == 0);
}

static void tcp_v6only_verify(void)
{
	check(number(a, SOL_IPV6, IPV6_V6ONLY) == 1 && number(a, SOL_SOCKET, SO_ACCEPTCONN) && number(b, SOL_SOCKET, SO_ACCEPTCONN));
}

/* --- families --- */

static int family, type_, protocol;

static void make_family(int f, int type, int p)
{
	family = f, type_ = type, protocol = p;
	a = socket(f, type, p);
	if (a < 0)
		test_skip("no such sockets in this kernel");
}

static void family_verify(void)
{
	check(number(a, SOL_SOCKET, SO_DOMAIN) == family && number(a, SOL_SOCKET, SO_TYPE) == type_ && number(a, SOL_SOCKET, SO_PROTOCOL) == protocol);
}

static void mptcp_setup(void) { make_family(AF_INET, SOCK_STREAM, 262); }
static void sctp_setup(void) { make_family(AF_INET, SOCK_STREAM, 132); }
static void dccp_setup(void) { make_family(AF_INET, 6, 33); }
static void vsock_setup(void) { make_family(40, SOCK_STREAM, 0); }
static void alg_setup(void) { make_family(38, SOCK_SEQPACKET, 0); }
static void xdp_setup(void) { make_family(44, SOCK_RAW, 0); }
static void tipc_setup(void) { make_family(30, SOCK_SEQPACKET, 0); }
static void bluetooth_setup(void) { make_family(31, SOCK_SEQPACKET, 0); }
static void can_setup(void) { make_family(29, SOCK_RAW, 1); }
static void smc_setup(void) { make_family(43, SOCK_STREAM, 0); }
static void key_setup(void) { make_family(15, SOCK_RAW, 2); }

static void mptcp_listen_setup(void)
{
	make_family(AF_INET, SOCK_STREAM, 262);
	check(listen(a, 3) == 0);
}

static void ulp_setup(void)
{
	tcp_pair(&a, &b);
	if (setsockopt(a, SOL_TCP, TCP_ULP, "tls", 4))
		test_skip("no kernel TLS");
}

static void ulp_verify(void)
{
	socklen_t n = sizeof got;

	check(getsockopt(a, SOL_TCP, TCP_ULP, got, &n) == 0 && !strcmp(got, "tls"));
}

int main(int argc, char **argv)
{
	static const struct test_kind kinds[] = {
		{ "multicast", multicast_setup, multicast_verify },
		{ "packet_group", packet_group_setup, packet_group_verify },
		{ "netlink_group", netlink_group_setup, netlink_group_verify },
		{ "udp_queue", udp_queue_setup, udp_queue_verify },
		{ "udp6_queue", udp6_queue_setup, udp6_queue_verify },
		{ "tcp_options", tcp_options_setup, tcp_options_verify },
		{ "listen_options", listen_options_setup, listen_options_verify },
		{ "tcp_md5", tcp_md5_setup, tcp_md5_verify },
		{ "reuseport", reuseport_setup, reuseport_verify },
		{ "tcp_refused", tcp_refused_setup, tcp_refused_verify },
		{ "tcp_v6only", tcp_v6only_setup, tcp_v6only_verify },
		{ "ulp", ulp_setup, ulp_verify },
		{ "mptcp", mptcp_setup, family_verify },
		{ "mptcp_listen", mptcp_listen_setup, family_verify },
		{ "sctp", sctp_setup, family_verify },
		{ "dccp", dccp_setup, family_verify },
		{ "vsock", vsock_setup, family_verify },
		{ "alg", alg_setup, family_verify },
		{ "xdp", xdp_setup, family_verify },
		{ "tipc", tipc_setup, family_verify },
		{ "bluetooth", bluetooth_setup, family_verify },
		{ "can", can_setup, family_verify },
		{ "smc", smc_setup, family_verify },
		{ "key", key_setup, family_verify },
	};

	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof *kinds, where);
}
