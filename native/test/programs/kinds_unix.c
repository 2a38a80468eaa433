/* SPDX-License-Identifier: MIT
 *
 * Unix sockets in rare states: one kind by argument, looked at afterwards.
 */
#include "test.h"

#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif

static int a, b, c, d;
static char got[70000];

static socklen_t address(struct sockaddr_un *u, const char *name)
{
	memset(u, 0, sizeof *u);
	u->sun_family = AF_UNIX;
	snprintf(u->sun_path, sizeof u->sun_path, "%.100s", test_path(name));
	return sizeof *u;
}

static int bound(int type, const char *name)
{
	struct sockaddr_un u;
	int fd = socket(AF_UNIX, type, 0);

	check(bind(fd, (void *)&u, address(&u, name)) == 0, "%s", name);
	return fd;
}

static int connected(int type, const char *name)
{
	struct sockaddr_un u;
	int fd = socket(AF_UNIX, type, 0);

	check(connect(fd, (void *)&u, address(&u, name)) == 0, "%s", name);
	return fd;
}

static void put(int fd, const char *text)
{
	check(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text), "%s", text);
}

static void expect(int fd, const char *text)
{
	ssize_t n = recv(fd, got, sizeof got, MSG_DONTWAIT);

	check(n == (ssize_t)strlen(text) && !memcmp(got, text, n), "%.*s (%zd), not %s", n < 0 ? 0 : (int)n, got, n, text);
}

/* A listener's file renamed: clients come by its new name. */
static void renamed_setup(void)
{
	a = bound(SOCK_STREAM, "old");
	check(listen(a, 7) == 0 && rename(test_path("old"), test_path("new")) == 0);
}

static void renamed_verify(void)
{
	struct sockaddr_un u;
	socklen_t n = sizeof u;

	check(getsockname(a, (void *)&u, &n) == 0 && !strcmp(u.sun_path, test_path("old")));
	check(access(test_path("old"), F_OK) < 0, "the old name is back");
	b = connected(SOCK_STREAM, "new");
	put(b, "hello");
	c = accept(a, NULL, NULL);
	expect(c, "hello");
}

/* The same for a datagram socket, whose old name somebody else has now. */
static void replaced_setup(void)
{
	a = bound(SOCK_DGRAM, "old");
	check(rename(test_path("old"), test_path("new")) == 0);
	b = bound(SOCK_DGRAM, "old");
	c = connected(SOCK_DGRAM, "new");
	d = connected(SOCK_DGRAM, "old");
	put(c, "waiting");
}

static void replaced_verify(void)
{
	expect(a, "waiting");
	put(c, "one");
	put(d, "two");
	expect(a, "one");
	expect(b, "two");
	c = connected(SOCK_DGRAM, "new");
	put(c, "three");
	expect(a, "three");
}

/* Connections that wait and have sent already; one closed again. */
static void backlog_data(int type)
{
	a = bound(type, "backlog");
	check(listen(a, 7) == 0);
	b = connected(type, "backlog");
	put(b, "early");
	c = connected(type, "backlog");
	put(c, "bird");
	if (type == SOCK_SEQPACKET)
		put(c, "worm");
	d = connected(type, "backlog");
}

static void backlog_stream_setup(void)
{
	backlog_data(SOCK_STREAM);
}

static void backlog_packet_setup(void)
{
	backlog_data(SOCK_SEQPACKET);
}

static void backlog_verify(void)
{
	int x = accept(a, NULL, NULL), y = accept(a, NULL, NULL), z = accept(a, NULL, NULL), type;
	socklen_t n = sizeof type;

	check(x >= 0 && y >= 0 && z >= 0);
	check(getsockopt(a, SOL_SOCKET, SO_TYPE, &type, &n) == 0);
	expect(x, "early");
	expect(y, "bird");
	if (type == SOCK_SEQPACKET)
		expect(y, "worm");
	check(recv(z, got, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
	put(x, "answer");
	expect(b, "answer");
	put(d, "late");
	expect(z, "late");
}

static void backlog_closed_setup(void)
{
	a = bound(SOCK_STREAM, "backlog");
	check(listen(a, 7) == 0);
	b = connected(SOCK_STREAM, "backlog");
	put(b, "last words");
	close(b);
	c = connected(SOCK_STREAM, "backlog");
}

static void backlog_closed_verify(void)
{
	int x = accept(a, NULL, NULL), y = accept(a, NULL, NULL);

	expect(x, "last words");
	check(recv(x, got, 1, MSG_DONTWAIT) == 0);
	put(y, "hi");
	expect(c, "hi");
}

static void backlog_shut_setup(void)
{
	a = bound(SOCK_STREAM, "backlog");
	check(listen(a, 7) == 0);
	b = connected(SOCK_STREAM, "backlog");
	put(b, "request");
	check(shutdown(b, SHUT_WR) == 0);
}

static void backlog_shut_verify(void)
{
	int x = accept(a, NULL, NULL);

	expect(x, "request");
	check(recv(x, got, 1, MSG_DONTWAIT) == 0);
	put(x, "answer");
	expect(b, "answer");
}

static void oob_setup(void)
{
	int pair[2];

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	a = pair[0], b = pair[1];
	put(a, "before");
	if (send(a, "!", 1, MSG_OOB) != 1)
		test_skip("no out-of-band data on Unix sockets");
	put(a, "after");
}

static void oob_verify(void)
{
	struct pollfd p = { .fd = b, .events = POLLPRI };

	check(poll(&p, 1, 0) == 1 && p.revents & POLLPRI);
	check(recv(b, got, 1, MSG_OOB | MSG_DONTWAIT) == 1 && got[0] == '!');
	check(recv(b, got, 6, MSG_DONTWAIT) == 6 && !memcmp(got, "before", 6));
	expect(b, "after");
}

/* A name that the kernel has chosen, kept by a peer as well. */
static struct sockaddr_un auto_name;
static socklen_t auto_length = sizeof auto_name;

static void autobind_setup(void)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };

	a = socket(AF_UNIX, SOCK_DGRAM, 0);
	check(bind(a, (void *)&u, sizeof(sa_family_t)) == 0 && getsockname(a, (void *)&auto_name, &auto_length) == 0);
	b = socket(AF_UNIX, SOCK_DGRAM, 0);
	check(connect(b, (void *)&auto_name, auto_length) == 0);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	u.sun_path[1] = 'x', u.sun_path[3] = 'z';
	snprintf(u.sun_path + 4, 50, "%d", getpid());
	check(bind(c, (void *)&u, sizeof u) == 0 && listen(c, 3) == 0);
	put(b, "to an odd name");
}

static void autobind_verify(void)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX }, v;
	socklen_t n = sizeof v;

	expect(a, "to an odd name");
	check(getsockname(a, (void *)&v, &n) == 0 && n == auto_length && !memcmp(&v, &auto_name, n));
	put(b, "again");
	expect(a, "again");
	u.sun_path[1] = 'x', u.sun_path[3] = 'z';
	snprintf(u.sun_path + 4, 50, "%d", getpid());
	d = socket(AF_UNIX, SOCK_STREAM, 0);
	check(connect(d, (void *)&u, sizeof u) == 0);
}

static pid_t child;

/* As another user than who restores. */
static int accepted, dumpable;

static void peeruser_setup(void)
{
	int pair[2];

	if (geteuid())
		test_skip("takes root");
	check(setegid(4321) == 0 && seteuid(1234) == 0);
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	a = pair[0], b = pair[1];
	c = bound(SOCK_STREAM, "user");
	check(listen(c, 3) == 0 && seteuid(0) == 0 && seteuid(1235) == 0);
	d = connected(SOCK_STREAM, "user");
	check(seteuid(0) == 0 && setegid(0) == 0);
	accepted = accept(c, NULL, NULL);
	dumpable = prctl(PR_GET_DUMPABLE);
}

static void peeruser_verify(void)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	check(getsockopt(a, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 && cred.uid == 1234 && cred.gid == 4321, "%u:%u", cred.uid, cred.gid);
	check(getsockopt(d, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 && cred.uid == 1234 && cred.gid == 4321, "listens: %u:%u", cred.uid, cred.gid);
	check(getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0 && cred.uid == 1235 && cred.gid == 4321, "connected: %u:%u", cred.uid, cred.gid);
	check(geteuid() == 0 && prctl(PR_GET_DUMPABLE) == dumpable);
	put(d, "x");
	expect(accepted, "x");
}

/* Looked at up to a point. */
static void peek_setup(void)
{
	int pair[2], at = 0;

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	a = pair[0], b = pair[1];
	put(a, "0123456789");
	check(setsockopt(b, SOL_SOCKET, SO_PEEK_OFF, &at, sizeof at) == 0 && recv(b, got, 4, MSG_PEEK) == 4);
}

static void peek_verify(void)
{
	check(recv(b, got, 3, MSG_PEEK | MSG_DONTWAIT) == 3 && !memcmp(got, "456", 3), "%.3s", got);
	expect(b, "0123456789");
}

/* Options that say what comes with a message; a message that waits has it too. */
static void pass_setup(void)
{
	int pair[2], one = 1;

	check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	a = pair[0], b = pair[1];
	check(setsockopt(b, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0);
	if (setsockopt(b, SOL_SOCKET, SO_PASSPIDFD, &one, sizeof one))
		test_skip("no SO_PASSPIDFD");
	put(a, "signed");
}

static void pass_verify(void)
{
	char control[256];
	struct iovec iov = { got, sizeof got };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	int creds = 0, pidfds = 0;

	check(recvmsg(b, &msg, MSG_DONTWAIT) == 6);
	for (struct cmsghdr *m = CMSG_FIRSTHDR(&msg); m; m = CMSG_NXTHDR(&msg, m)) {
		if (m->cmsg_type == SCM_CREDENTIALS) {
			check(((struct ucred *)CMSG_DATA(m))->pid == getpid(), "from %d", ((struct ucred *)CMSG_DATA(m))->pid);
			creds++;
		} else {
			pidfds++;
		}
	}
	check(creds == 1 && pidfds == 1, "%d %d", creds, pidfds);
}

/* Datagrams of several senders, some gone, some named. */
static void senders_setup(void)
{
	int s;

	a = bound(SOCK_DGRAM, "inbox");
	for (int i = 0; i < 3; i++) {
		char name[16];
		struct sockaddr_un u;

		snprintf(name, sizeof name, "sender %d", i);
		s = bound(SOCK_DGRAM, name);
		check(connect(s, (void *)&u, address(&u, "inbox")) == 0);
		put(s, name);
		if (i == 1) {
			close(s);
			unlink(test_path(name));
		}
	}
	b = connected(SOCK_DGRAM, "inbox");
	put(b, "nobody");
	check(send(b, "", 0, 0) == 0);
	put(b, "last");
}

static void senders_verify(void)
{
	for (int i = 0; i < 6; i++) {
		struct sockaddr_un from = { 0 };
		socklen_t n = sizeof from;
		ssize_t length = recvfrom(a, got, sizeof got, MSG_DONTWAIT, (void *)&from, &n);
		char name[16];

		snprintf(name, sizeof name, "sender %d", i);
		if (i < 3)
			check(length == 8 && !memcmp(got, name, 8) && !strcmp(from.sun_path, test_path(name)), "%d: %zd from %s", i, length, from.sun_path);
		else
			check(length == (i == 3 ? 6 : i == 4 ? 0 : 4), "%d: %zd", i, length);
	}
	check(recv(a, got, 1, MSG_DONTWAIT) < 0);
}

/* One listener in several processes. */
static void shared_setup(void)
{
	a = bound(SOCK_STREAM, "shared");
	check(listen(a, 11) == 0);
	b = connected(SOCK_STREAM, "shared");
	child = test_fork();
	if (!child) {
		test_wait();
		test_await("first");
		c = accept(a, NULL, NULL);
		check(c >= 0);
		put(c, "from the child");
		_exit(0);
	}
}

static void shared_verify(void)
{
	c = accept(a, NULL, NULL);
	put(c, "from the parent");
	expect(b, "from the parent");
	d = connected(SOCK_STREAM, "shared");
	test_mark("first");
	test_join(child);
	expect(d, "from the child");
}

/* Both directions shut with something in them. */
static void shut_setup(void)
{
	int pair[2];

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	a = pair[0], b = pair[1];
	put(a, "there");
	put(b, "back");
	check(shutdown(a, SHUT_WR) == 0 && shutdown(b, SHUT_WR) == 0);
	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	c = pair[0], d = pair[1];
	put(c, "p1");
	put(c, "p2");
	check(shutdown(c, SHUT_RDWR) == 0);
}

static void shut_verify(void)
{
	check(recv(b, got, 5, MSG_DONTWAIT) == 5 && recv(b, got, 5, MSG_DONTWAIT) == 0);
	check(recv(a, got, 4, MSG_DONTWAIT) == 4 && recv(a, got, 4, MSG_DONTWAIT) == 0);
	check(send(a, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	expect(d, "p1");
	expect(d, "p2");
	check(recv(d, got, 4, MSG_DONTWAIT) == 0 && send(d, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
}

int main(int argc, char **argv)
{
	static const struct test_kind kinds[] = {
		{ "renamed", renamed_setup, renamed_verify },
		{ "replaced", replaced_setup, replaced_verify },
		{ "backlog_stream", backlog_stream_setup, backlog_verify },
		{ "backlog_packet", backlog_packet_setup, backlog_verify },
		{ "backlog_closed", backlog_closed_setup, backlog_closed_verify },
		{ "backlog_shut", backlog_shut_setup, backlog_shut_verify },
		{ "oob", oob_setup, oob_verify },
		{ "autobind", autobind_setup, autobind_verify },
		{ "peeruser", peeruser_setup, peeruser_verify },
		{ "peek", peek_setup, peek_verify },
		{ "pass", pass_setup, pass_verify },
		{ "senders", senders_setup, senders_verify },
		{ "shared", shared_setup, shared_verify },
		{ "shut", shut_setup, shut_verify },
	};

	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof *kinds, NULL);
}
