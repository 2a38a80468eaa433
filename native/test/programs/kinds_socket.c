/* SPDX-License-Identifier: MIT
 *
 * Sockets that an engine may refuse or restore, but not forget: one kind by argument. DIR/where names pid and
 * descriptor.
 */
#include "test.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static int a, b, c;
static char got[PAGE];

static void pair_setup(int type)
{
	int p[2];

	check(socketpair(AF_UNIX, type, 0, p) == 0);
	a = p[0];
	b = p[1];
	check(write(b, "first", 5) == 5 && write(b, "second", 6) == 6);
}

static void unix_stream_setup(void)
{
	pair_setup(SOCK_STREAM);
}

static void unix_stream_verify(void)
{
	check(read(a, got, sizeof got) == 11 && !memcmp(got, "firstsecond", 11));
	check(write(a, "back", 4) == 4 && read(b, got, sizeof got) == 4);
}

static void unix_dgram_setup(void)
{
	pair_setup(SOCK_DGRAM);
}

static void unix_seqpacket_setup(void)
{
	pair_setup(SOCK_SEQPACKET);
}

static void unix_packets_verify(void)
{
	check(read(a, got, sizeof got) == 5 && !memcmp(got, "first", 5));
	check(read(a, got, sizeof got) == 6 && !memcmp(got, "second", 6));
}

static void unix_rights_setup(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int p[2], fd = open(test_path("passed"), O_CREAT | O_RDWR, 0644);

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0 && fd >= 0 && lseek(fd, 33, SEEK_SET) == 33);
	a = p[0];
	b = p[1];
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	check(sendmsg(b, &m, 0) == 1);
	close(fd);
}

static void unix_rights_verify(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { got, sizeof got };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	int fd;

	check(recvmsg(a, &m, 0) == 1 && CMSG_FIRSTHDR(&m), "the descriptor on its way was lost");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	check(lseek(fd, 0, SEEK_CUR) == 33);
}

static void unix_listen_setup(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof addr.sun_path, "%.90s", test_path("socket"));
	a = socket(AF_UNIX, SOCK_STREAM, 0);
	check(bind(a, (void *)&addr, sizeof addr) == 0 && listen(a, 5) == 0);
}

static void unix_listen_verify(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof addr.sun_path, "%.90s", test_path("socket"));
	check(connect(s, (void *)&addr, sizeof addr) == 0 && accept(a, NULL, NULL) >= 0);
}

static struct sockaddr_in local;

static void listen_on(void)
{
	socklen_t n = sizeof local;
	int one = 1;

	a = socket(AF_INET, SOCK_STREAM, 0);
	local = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	setsockopt(a, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	check(bind(a, (void *)&local, sizeof local) == 0 && listen(a, 5) == 0);
	check(getsockname(a, (void *)&local, &n) == 0);
}

static void tcp_listen_verify(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), one = 0;
	socklen_t n = sizeof one;

	check(connect(s, (void *)&local, sizeof local) == 0 && accept(a, NULL, NULL) >= 0);
	check(getsockopt(a, SOL_SOCKET, SO_REUSEADDR, &one, &n) == 0 && one == 1);
}

static void tcp_setup(void)
{
	listen_on();
	b = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(b, (void *)&local, sizeof local) == 0);
	c = accept(a, NULL, NULL);
	check(write(c, "queued", 6) == 6);
	close(a);
	a = b;
	b = c;
}

static void tcp_verify(void)
{
	check(read(a, got, sizeof got) == 6);
	check(write(a, "back", 4) == 4 && read(b, got, sizeof got) == 4);
}

/* Only the receiving end is shut down: no packet tells of that. */
static void tcp_shut_read_setup(void)
{
	tcp_setup();
	check(shutdown(b, SHUT_RD) == 0);
}

static void tcp_shut_read_verify(void)
{
	check(read(a, got, sizeof got) == 6);
	check(recv(b, got, sizeof got, MSG_DONTWAIT) == 0, "it can be read again");
	check(write(b, "out", 3) == 3 && read(a, got, sizeof got) == 3);
}

static int option(int level, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	check(getsockopt(a, level, name, &value, &n) == 0);
	return value;
}

static void set_option(int level, int name, int value)
{
	check(setsockopt(a, level, name, &value, sizeof value) == 0, "option %d", name);
}

static void udp_options_setup(void)
{
	a = socket(AF_INET, SOCK_DGRAM, 0);
	set_option(IPPROTO_UDP, 1, 1); /* UDP_CORK */
	set_option(IPPROTO_UDP, 103, 700); /* UDP_SEGMENT */
	set_option(IPPROTO_IP, IP_MULTICAST_IF, htonl(INADDR_LOOPBACK));
	set_option(IPPROTO_IP, IP_MULTICAST_ALL, 0);
}

static void udp_options_verify(void)
{
	check(option(IPPROTO_UDP, 1) == 1 && option(IPPROTO_UDP, 103) == 700);
	check(option(IPPROTO_IP, IP_MULTICAST_IF) == (int)htonl(INADDR_LOOPBACK) && option(IPPROTO_IP, IP_MULTICAST_ALL) == 0);
}

static void udp_setup_on(int *fd)
{
	socklen_t n = sizeof local;

	*fd = socket(AF_INET, SOCK_DGRAM, 0);
	local = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	check(bind(*fd, (void *)&local, sizeof local) == 0 && getsockname(*fd, (void *)&local, &n) == 0);
}

static void udp_setup(void)
{
	udp_setup_on(&a);
}

static void udp_verify(void)
{
	check(sendto(a, "me", 2, 0, (void *)&local, sizeof local) == 2 && read(a, got, sizeof got) == 2);
}

/* A packet socket with a mapped ring: packets arrive in it. */
static char *ring;

static void packet_ring_setup(void)
{
	struct tpacket_req request = { PAGE, 4, PAGE / 2, 8 };
	struct sockaddr_ll loopback = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = 1 };

	a = socket(AF_PACKET, SOCK_RAW, 0);
	if (a < 0)
		test_skip("no packet sockets (CAP_NET_RAW)");
	check(setsockopt(a, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0);
	ring = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	test_volatile(ring);
	check(bind(a, (void *)&loopback, sizeof loopback) == 0);
}

static void packet_ring_verify(void)
{
	struct pollfd p = { .fd = a, .events = POLLIN };
	int seen = 0;

	udp_setup_on(&b);
	udp_setup_on(&c);
	check(sendto(c, "through the ring", 16, 0, (void *)&local, sizeof local) == 16);
	check(poll(&p, 1, 5000) == 1);
	for (int i = 0; i < 8; i++) {
		volatile struct tpacket_hdr *h = (void *)(ring + i * PAGE / 2);

		seen += h->tp_status & TP_STATUS_USER;
	}
	check(seen, "no packet in the mapped ring");
}

static void netlink_setup(void)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = 1 };

	a = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	check(bind(a, (void *)&nl, sizeof nl) == 0);
}

static void netlink_verify(void)
{
	struct sockaddr_nl nl;
	socklen_t n = sizeof nl;

	check(getsockname(a, (void *)&nl, &n) == 0 && nl.nl_groups == 1);
}

static const struct test_kind kinds[] = {
	{ "unix_stream", unix_stream_setup, unix_stream_verify },
	{ "unix_dgram", unix_dgram_setup, unix_packets_verify },
	{ "unix_seqpacket", unix_seqpacket_setup, unix_packets_verify },
	{ "unix_rights", unix_rights_setup, unix_rights_verify },
	{ "unix_listen", unix_listen_setup, unix_listen_verify },
	{ "tcp_listen", listen_on, tcp_listen_verify },
	{ "tcp", tcp_setup, tcp_verify },
	{ "tcp_shut_read", tcp_shut_read_setup, tcp_shut_read_verify },
	{ "udp_options", udp_options_setup, udp_options_verify },
	{ "udp", udp_setup, udp_verify },
	{ "packet_ring", packet_ring_setup, packet_ring_verify },
	{ "netlink", netlink_setup, netlink_verify },
};

static const char *where(unsigned long *value)
{
	check(a >= 0);
	*value = a;
	return "fd";
}

int main(int argc, char **argv)
{
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof kinds[0], where);
}
