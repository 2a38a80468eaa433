/* SPDX-License-Identifier: MIT
 *
 * Internet sockets without a connection, by argument: "listen", "udp", "options", "raw", "icmp"; with one: "tcp" (all within
 * the tree, queues both ways), "half" (shut down, closed ends), "full" and "shut" (more than the peer takes), "closed" (with
 * --tcp-close), "tree" (ends in different
 * processes), "peer" (the other end is a process outside the tree).
 */
#include "test.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

static char got[1 << 16], sent[1 << 16];
static int family;

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union address loopback(int port)
{
	union address a = { 0 };

	a.any.sa_family = family;
	if (family == AF_INET)
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK), a.v4.sin_port = htons(port);
	else
		a.v6.sin6_addr = in6addr_loopback, a.v6.sin6_port = htons(port);
	return a;
}

static socklen_t size(void)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static union address name(int fd, int peer)
{
	union address a = { 0 };
	socklen_t n = sizeof a;

	check(!(peer ? getpeername : getsockname)(fd, &a.any, &n));
	return a;
}

static int same(union address a, union address b)
{
	return !memcmp(&a, &b, size());
}

static int bound(int type, int protocol)
{
	union address a = loopback(0);
	int fd = socket(family, type, protocol);

	check(fd >= 0 && !bind(fd, &a.any, size()));
	return fd;
}

static int connected(int type, int to)
{
	union address a = name(to, 0);
	int fd = socket(family, type, 0);

	check(fd >= 0 && !connect(fd, &a.any, size()));
	return fd;
}

static void put(int fd, const char *text)
{
	check(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text), "%s", text);
}

static void expect(int fd, const char *text)
{
	size_t n = strlen(text), done = 0;

	while (done < n) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t r;

		check(poll(&p, 1, 10000) == 1, "no \"%s\"", text);
		r = recv(fd, got + done, n - done, MSG_DONTWAIT);
		check(r > 0, "%zd, not \"%s\"", r, text);
		done += r;
	}
	check(!memcmp(got, text, n), "%.*s, not %s", (int)n, got, text);
}

static void at_end(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	check(poll(&p, 1, 10000) == 1 && recv(fd, got, 1, MSG_DONTWAIT) == 0, "no end");
}

static void empty(int fd)
{
	check(recv(fd, got, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

static void talk(int x, int y)
{
	put(x, "there");
	expect(y, "there");
	put(y, "and back");
	expect(x, "and back");
	empty(x);
	empty(y);
}

static int number(int fd, int level, int option)
{
	int value = -12345;
	socklen_t n = sizeof value;

	check(!getsockopt(fd, level, option, &value, &n), "option %d of %d", option, level);
	return value;
}

static void set(int fd, int level, int option, int value)
{
	check(!setsockopt(fd, level, option, &value, sizeof value), "option %d of %d", option, level);
}

static void ready(void)
{
	test_ready();
	test_wait();
}

static void listening(void)
{
	int l, only6, any6, unbound, idle, c, s;
	union address a, b, d;

	family = AF_INET6;
	any6 = socket(AF_INET6, SOCK_STREAM, 0);
	a = (union address){ .v6 = { .sin6_family = AF_INET6 } };
	check(!bind(any6, &a.any, size()) && !listen(any6, 3));
	only6 = socket(AF_INET6, SOCK_STREAM, 0);
	set(only6, SOL_IPV6, IPV6_V6ONLY, 1);
	check(!bind(only6, &a.any, size()) && !listen(only6, 3));
	b = name(any6, 0);
	d = name(only6, 0);
	family = AF_INET;
	l = bound(SOCK_STREAM, 0);
	set(l, SOL_SOCKET, SO_REUSEADDR, 1);
	check(!listen(l, 2));
	a = name(l, 0);
	fcntl(l, F_SETFL, O_NONBLOCK);
	unbound = socket(AF_INET, SOCK_STREAM, 0);
	idle = bound(SOCK_STREAM, 0);
	ready();

	check(same(name(l, 0), a) && number(l, SOL_SOCKET, SO_REUSEADDR) == 1 && number(idle, SOL_SOCKET, SO_REUSEADDR) == 0);
	check(accept(l, NULL, NULL) < 0 && errno == EAGAIN);
	c = connected(SOCK_STREAM, l);
	s = accept(l, NULL, NULL);
	talk(c, s);
	check(!connect(unbound, &a.any, size()));
	talk(unbound, accept(l, NULL, NULL));
	/* IPv4 reaches the one, not the other */
	a = loopback(ntohs(b.v6.sin6_port));
	c = socket(AF_INET, SOCK_STREAM, 0);
	check(!connect(c, &a.any, size()));
	talk(c, accept(any6, NULL, NULL));
	a = loopback(ntohs(d.v6.sin6_port));
	c = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(c, &a.any, size()) < 0 && errno == ECONNREFUSED && number(only6, SOL_IPV6, IPV6_V6ONLY) == 1);
	check(!listen(idle, 1));
	c = connected(SOCK_STREAM, idle);
	talk(c, accept(idle, NULL, NULL));
}

static void udp(void)
{
	int a[2], to[2], lite, deaf, x;
	union address names[2], tos[2], lite_name, from;
	socklen_t n;

	for (x = 0; x < 2; x++) {
		family = x ? AF_INET6 : AF_INET;
		a[x] = bound(SOCK_DGRAM, 0);
		to[x] = connected(SOCK_DGRAM, a[x]);
		names[x] = name(a[x], 0);
		tos[x] = name(to[x], 0);
	}
	family = AF_INET;
	set(a[0], SOL_SOCKET, SO_BROADCAST, 1);
	set(a[0], SOL_SOCKET, SO_REUSEPORT, 1);
	lite = bound(SOCK_DGRAM, 136);
	lite_name = name(lite, 0);
	deaf = connected(SOCK_DGRAM, a[0]);
	check(!shutdown(deaf, SHUT_RD));
	ready();

	for (x = 0; x < 2; x++) {
		family = x ? AF_INET6 : AF_INET;
		check(same(name(a[x], 0), names[x]) && same(name(to[x], 0), tos[x]) && same(name(to[x], 1), names[x]));
		put(to[x], "question");
		n = sizeof from;
		memset(&from, 0, sizeof from);
		check(recvfrom(a[x], got, 100, 0, &from.any, &n) == 8 && same(from, tos[x]));
		check(sendto(a[x], "answer", 6, 0, &from.any, n) == 6);
		expect(to[x], "answer");
	}
	family = AF_INET;
	check(number(a[0], SOL_SOCKET, SO_BROADCAST) == 1 && number(a[0], SOL_SOCKET, SO_REUSEPORT) == 1);
	check(same(name(lite, 0), lite_name) && number(lite, SOL_SOCKET, SO_PROTOCOL) == 136);
	check(recv(deaf, got, 1, 0) == 0);
	put(deaf, "one way");
	expect(a[0], "one way");
}

static void options(void)
{
	static const int wanted[][3] = {
		{ SOL_IP, IP_TOS, 16 }, { SOL_IP, IP_TTL, 33 }, { SOL_IP, IP_PKTINFO, 1 }, { SOL_IP, IP_FREEBIND, 1 }, { SOL_IP, IP_RECVTTL, 1 },
		{ SOL_IP, IP_MULTICAST_TTL, 7 }, { SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO }, { SOL_SOCKET, SO_PRIORITY, 5 },
		{ SOL_SOCKET, SO_MARK, 9 }, { SOL_SOCKET, SO_RCVBUF, 30000 }, { SOL_SOCKET, SO_SNDBUF, 40000 }, { SOL_SOCKET, SO_DONTROUTE, 1 },
		{ SOL_SOCKET, SO_NO_CHECK, 1 }, { SOL_SOCKET, SO_RCVLOWAT, 3 }, { SOL_SOCKET, SO_TIMESTAMP, 1 },
	};
	static const int tcp_wanted[][3] = {
		{ SOL_TCP, TCP_NODELAY, 1 }, { SOL_TCP, TCP_KEEPIDLE, 77 }, { SOL_TCP, TCP_KEEPCNT, 4 }, { SOL_TCP, TCP_KEEPINTVL, 11 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 }, { SOL_TCP, TCP_USER_TIMEOUT, 5000 }, { SOL_TCP, TCP_DEFER_ACCEPT, 3 },
		{ SOL_SOCKET, SO_OOBINLINE, 1 }, { SOL_TCP, TCP_LINGER2, 20 },
	};
	int before[64], count = sizeof wanted / sizeof *wanted, tcp_count = sizeof tcp_wanted / sizeof *tcp_wanted, x, u, t;
	struct sock_filter code[] = { { BPF_LD | BPF_LEN, 0, 0, 0 }, { BPF_JMP | BPF_JGT | BPF_K, 0, 1, 20 }, { BPF_RET | BPF_K, 0, 0, 0 },
				      { BPF_RET | BPF_K, 0, 0, 0xffff } };
	struct sock_fprog program = { 4, code };
	struct linger l = { 1, 5 };
	char device[16] = "";
	socklen_t n = sizeof device;

	family = AF_INET;
	u = bound(SOCK_DGRAM, 0);
	t = bound(SOCK_STREAM, 0);
	for (x = 0; x < count; x++) {
		set(u, wanted[x][0], wanted[x][1], wanted[x][2]);
		before[x] = number(u, wanted[x][0], wanted[x][1]);
	}
	for (x = 0; x < tcp_count; x++) {
		set(t, tcp_wanted[x][0], tcp_wanted[x][1], tcp_wanted[x][2]);
		before[count + x] = number(t, tcp_wanted[x][0], tcp_wanted[x][1]);
	}
	check(!setsockopt(t, SOL_SOCKET, SO_LINGER, &l, sizeof l) && !setsockopt(u, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) &&
	      !setsockopt(u, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
	ready();

	for (x = 0; x < count; x++)
		check(number(u, wanted[x][0], wanted[x][1]) == before[x], "option %d of %d is %d, was %d", wanted[x][1], wanted[x][0],
		      number(u, wanted[x][0], wanted[x][1]), before[x]);
	for (x = 0; x < tcp_count; x++)
		check(number(t, tcp_wanted[x][0], tcp_wanted[x][1]) == before[count + x], "option %d of %d is %d, was %d", tcp_wanted[x][1],
		      tcp_wanted[x][0], number(t, tcp_wanted[x][0], tcp_wanted[x][1]), before[count + x]);
	check(!getsockopt(u, SOL_SOCKET, SO_BINDTODEVICE, device, &n) && !strcmp(device, "lo"));
	n = sizeof l;
	l.l_linger = 0;
	check(!getsockopt(t, SOL_SOCKET, SO_LINGER, &l, &n) && l.l_onoff && l.l_linger == 5);
	n = 0;
	check(!getsockopt(u, SOL_SOCKET, SO_GET_FILTER, NULL, &n) && n == 4);
}

static void raw(void)
{
	int r4, r6;
	uint32_t filter = 0x102, filter6[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, back[8];
	union address a;
	socklen_t n;

	family = AF_INET;
	r4 = bound(SOCK_RAW, IPPROTO_ICMP);
	a = name(r4, 0);
	set(r4, SOL_IP, IP_HDRINCL, 1);
	set(r4, SOL_IP, 22 /* IP_NODEFRAG */, 1);
	check(!setsockopt(r4, 255, 1, &filter, sizeof filter));
	r6 = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	check(!setsockopt(r6, IPPROTO_ICMPV6, 1, filter6, sizeof filter6));
	ready();

	check(same(name(r4, 0), a) && number(r4, SOL_IP, IP_HDRINCL) == 1 && number(r4, SOL_IP, 22) == 1);
	check(number(r4, SOL_SOCKET, SO_TYPE) == SOCK_RAW && number(r4, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_ICMP && number(r4, 255, 1) == 0x102);
	n = sizeof back;
	check(!getsockopt(r6, IPPROTO_ICMPV6, 1, back, &n) && n == 32 && !memcmp(back, filter6, 32));
}

static void icmp(void)
{
	struct {
		uint8_t type, code;
		uint16_t sum, id, seq;
	} echo = { .type = 8, .seq = 7 };
	union address a = { .v4 = { .sin_family = AF_INET, .sin_port = 9, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } }, own;
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	if (fd < 0)
		test_skip("no ICMP sockets for this group (net.ipv4.ping_group_range)");
	family = AF_INET;
	check(!connect(fd, &a.any, size()));
	own = name(fd, 0);
	ready();

	check(same(name(fd, 0), own));
	check(send(fd, &echo, sizeof echo, 0) == sizeof echo && recv(fd, got, 100, 0) == sizeof echo && got[0] == 0);
}

/* Both ends of a connection. */
static void pair(int *c, int *s)
{
	int l = bound(SOCK_STREAM, 0);

	check(!listen(l, 1));
	*c = connected(SOCK_STREAM, l);
	*s = accept(l, NULL, NULL);
	check(*s >= 0);
	close(l);
}

static void tcp(void)
{
	int c[3], s[3], l, x, mapped;
	union address names[3][2];

	for (x = 0; x < 2; x++) {
		family = x ? AF_INET6 : AF_INET;
		pair(&c[x], &s[x]);
		put(c[x], "to the server");
		put(s[x], "to the client");
		expect(s[x], "to ");
		names[x][0] = name(c[x], 0);
		names[x][1] = name(s[x], 0);
	}
	/* through a listener that goes on, v4 mapped into v6 */
	l = socket(AF_INET6, SOCK_STREAM, 0);
	check(!bind(l, &((union address){ .v6 = { .sin6_family = AF_INET6 } }).any, sizeof(struct sockaddr_in6)) && !listen(l, 5));
	mapped = ntohs(name(l, 0).v6.sin6_port);
	family = AF_INET;
	c[2] = socket(AF_INET, SOCK_STREAM, 0);
	check(!connect(c[2], &(union address[]){ loopback(mapped) }[0].any, size()));
	s[2] = accept(l, NULL, NULL);
	put(c[2], "mapped");
	set(c[0], SOL_TCP, TCP_NODELAY, 1);
	set(s[0], SOL_SOCKET, SO_KEEPALIVE, 1);
	set(c[1], SOL_SOCKET, SO_REUSEADDR, 1);
	fcntl(c[1], F_SETFL, O_NONBLOCK);
	ready();

	for (x = 0; x < 2; x++) {
		family = x ? AF_INET6 : AF_INET;
		check(same(name(c[x], 0), names[x][0]) && same(name(c[x], 1), names[x][1]) && same(name(s[x], 1), names[x][0]));
		expect(s[x], "the server");
		expect(c[x], "to the client");
		talk(c[x], s[x]);
	}
	check(number(c[0], SOL_TCP, TCP_NODELAY) == 1 && number(s[0], SOL_TCP, TCP_NODELAY) == 0 && number(s[0], SOL_SOCKET, SO_KEEPALIVE) == 1);
	check(number(c[1], SOL_SOCKET, SO_REUSEADDR) == 1 && number(c[0], SOL_SOCKET, SO_REUSEADDR) == 0);
	check(fcntl(c[1], F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(c[0], F_GETFL) == O_RDWR);
	expect(s[2], "mapped");
	talk(c[2], s[2]);
	family = AF_INET;
	c[2] = socket(AF_INET, SOCK_STREAM, 0);
	check(!connect(c[2], &(union address[]){ loopback(mapped) }[0].any, size()));
	talk(c[2], accept(l, NULL, NULL));
	close(c[0]);
	at_end(s[0]);
}

static void half(void)
{
	int c[4], s[4], x;

	for (x = 0; x < 4; x++) {
		family = x % 2 ? AF_INET6 : AF_INET;
		pair(&c[x], &s[x]);
		put(c[x], "left");
	}
	put(s[0], "kept");
	shutdown(c[0], SHUT_WR); /* FIN_WAIT2 and CLOSE_WAIT */
	close(c[1]); /* CLOSE_WAIT, the other end nobody's */
	put(s[2], "both");
	shutdown(c[2], SHUT_WR);
	shutdown(s[2], SHUT_WR); /* closed both ways */
	shutdown(c[3], SHUT_RD);
	ready();

	expect(s[0], "left");
	at_end(s[0]);
	expect(c[0], "kept");
	check(send(c[0], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	put(s[0], "one way");
	expect(c[0], "one way");
	close(s[0]);
	at_end(c[0]);
	expect(s[1], "left");
	at_end(s[1]);
	expect(s[2], "left");
	at_end(s[2]);
	expect(c[2], "both");
	at_end(c[2]);
	check(send(s[2], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	expect(s[3], "left");
	put(c[3], "more");
	expect(s[3], "more");
}

static void full(void)
{
	int c, s;
	size_t filled = 0, done = 0;
	ssize_t n;

	family = AF_INET;
	pair(&c, &s);
	test_pattern(sent, sizeof sent, 9);
	fcntl(c, F_SETFL, O_NONBLOCK);
	while ((n = send(c, sent + filled % sizeof sent, sizeof sent - filled % sizeof sent, MSG_NOSIGNAL)) > 0)
		filled += n;
	check(errno == EAGAIN && filled > 1000000);
	ready();

	put(s, "back");
	expect(c, "back");
	while (done < filled) {
		struct pollfd p = { s, POLLIN, 0 };
		size_t at = done % sizeof sent;

		check(poll(&p, 1, 20000) == 1, "stuck after %zu of %zu", done, filled);
		n = recv(s, got, sizeof got - at, MSG_DONTWAIT);
		check(n > 0 && !memcmp(got, sent + at, n), "after %zu of %zu", done, filled);
		done += n;
	}
	talk(c, s);
	close(c);
	at_end(s);
}

/* Everything is written, only the peer has not taken it: FIN_WAIT1. */
static void shut(void)
{
	int c[2], s[2], x;
	size_t filled[2] = { 0 }, done;
	ssize_t n;

	test_pattern(sent, sizeof sent, 9);
	for (x = 0; x < 2; x++) {
		family = x ? AF_INET6 : AF_INET;
		pair(&c[x], &s[x]);
		fcntl(c[x], F_SETFL, O_NONBLOCK);
		while ((n = send(c[x], sent + filled[x] % sizeof sent, sizeof sent - filled[x] % sizeof sent, MSG_NOSIGNAL)) > 0)
			filled[x] += n;
		check(!shutdown(c[x], SHUT_WR));
	}
	check(!shutdown(s[1], SHUT_WR)); /* that side: CLOSING, or LAST_ACK */
	ready();

	put(s[0], "back");
	expect(c[0], "back");
	at_end(c[1]);
	for (x = 0; x < 2; x++) {
		for (done = 0; done < filled[x]; done += n) {
			struct pollfd p = { s[x], POLLIN, 0 };
			size_t at = done % sizeof sent;

			check(poll(&p, 1, 20000) == 1, "stuck after %zu of %zu", done, filled[x]);
			n = recv(s[x], got, sizeof got - at, MSG_DONTWAIT);
			check(n > 0 && !memcmp(got, sent + at, n), "after %zu of %zu", done, filled[x]);
		}
		at_end(s[x]);
	}
}

/* With --tcp-close: listeners go on, connections are gone. */
static void closed(void)
{
	int l, c, s;

	family = AF_INET;
	l = bound(SOCK_STREAM, 0);
	check(!listen(l, 3));
	c = connected(SOCK_STREAM, l);
	s = accept(l, NULL, NULL);
	put(c, "lost");
	ready();

	if (send(s, "x", 1, MSG_NOSIGNAL) == 1) {
		expect(s, "lost"); /* it was not dumped, or left running */
	} else {
		check(errno == EPIPE || errno == ENOTCONN);
		check(recv(s, got, 1, MSG_DONTWAIT) <= 0 && recv(c, got, 1, MSG_DONTWAIT) <= 0);
	}
	close(c);
	close(s);
	c = connected(SOCK_STREAM, l);
	talk(c, accept(l, NULL, NULL));
}

static void tree(void)
{
	int l, s, c, x;
	pid_t children[4];

	family = AF_INET;
	l = bound(SOCK_STREAM, 0);
	check(!listen(l, 5));
	for (x = 0; x < 2; x++) {
		char mark[16];

		snprintf(mark, sizeof mark, "asks%d", x);
		children[x] = test_fork();
		if (!children[x]) {
			c = connected(SOCK_STREAM, l);
			close(l);
			put(c, "question");
			test_mark(mark);
			test_wait();
			expect(c, "answer");
			put(c, "thanks");
			at_end(c);
			_exit(0);
		}
		s = accept(l, NULL, NULL);
		test_await(mark);
		snprintf(mark, sizeof mark, "serves%d", x);
		children[2 + x] = test_fork();
		if (!children[2 + x]) {
			close(l);
			test_mark(mark);
			test_wait();
			expect(s, "question");
			put(s, "answer");
			expect(s, "thanks");
			_exit(0);
		}
		close(s);
		test_await(mark);
	}
	ready();

	for (x = 0; x < 4; x++)
		test_join(children[x]);
	c = connected(SOCK_STREAM, l);
	talk(c, accept(l, NULL, NULL));
}

/* Outside the tree: gives back what it gets until the end. It sends something while the tree may be down. */
static void echo(int l)
{
	int s, n;

	setsid();
	if (fork())
		_exit(0);
	s = accept(l, NULL, NULL);
	close(l);
	test_mark("outside");
	while ((n = recv(s, got, sizeof got, 0)) > 0)
		check(send(s, got, n, MSG_NOSIGNAL) == n);
	_exit(0);
}

static void peer(void)
{
	int l, c, x;
	pid_t child;

	family = AF_INET6;
	l = bound(SOCK_STREAM, 0);
	check(!listen(l, 1));
	child = test_fork();
	if (!child)
		echo(l);
	test_join(child);
	c = connected(SOCK_STREAM, l);
	close(l);
	test_await("outside");
	put(c, "before");
	expect(c, "bef");
	ready();

	expect(c, "ore");
	test_pattern(sent, sizeof sent, 4);
	for (x = 0; x < 20; x++) {
		size_t done = 0;

		check(send(c, sent, sizeof sent, MSG_NOSIGNAL) == sizeof sent);
		while (done < sizeof sent) {
			ssize_t n = recv(c, got + done, sizeof got - done, 0);

			check(n > 0);
			done += n;
		}
		check(!memcmp(got, sent, sizeof sent));
	}
	check(!shutdown(c, SHUT_WR));
	at_end(c);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	test_init(argc, argv);
	if (!strcmp(what, "listen"))
		listening();
	else if (!strcmp(what, "udp"))
		udp();
	else if (!strcmp(what, "options"))
		options();
	else if (!strcmp(what, "raw"))
		raw();
	else if (!strcmp(what, "icmp"))
		icmp();
	else if (!strcmp(what, "tcp"))
		tcp();
	else if (!strcmp(what, "half"))
		half();
	else if (!strcmp(what, "full"))
		full();
	else if (!strcmp(what, "tree"))
		tree();
	else if (!strcmp(what, "shut"))
		shut();
	else if (!strcmp(what, "closed"))
		closed();
	else if (!strcmp(what, "peer"))
		peer();
	else
		check(0, "no such test: %s", what);
	test_pass();
}
