/* SPDX-License-Identifier: MIT
 *
 * Unix sockets, by argument: "pairs", "closed", "listen", "backlog", "names", "datagram", "rights", "credentials",
 * "options", "tree" (the ends in different processes), "outside" (a datagram
 * server that is no part of the tree). Queues, ends and names must be as they were, and talking goes on.
 */
#include "test.h"

#include <linux/filter.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static char got[70000], sent[70000];

static struct sockaddr_un address(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (name[0] == '@')
		snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%d%s", getpid(), name);
	else
		snprintf(a.sun_path, sizeof a.sun_path, "%.100s", test_path(name));
	return a;
}

static socklen_t length(const struct sockaddr_un *a)
{
	return a->sun_path[0] ? offsetof(struct sockaddr_un, sun_path) + strlen(a->sun_path) + 1
			      : offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a->sun_path + 1);
}

static int bound(int type, const char *name)
{
	struct sockaddr_un a = address(name);
	int fd = socket(AF_UNIX, type, 0);

	check(fd >= 0 && !bind(fd, (void *)&a, length(&a)), "%s", name);
	return fd;
}

static int connected(int type, const char *name)
{
	struct sockaddr_un a = address(name);
	int fd = socket(AF_UNIX, type, 0);

	check(fd >= 0 && !connect(fd, (void *)&a, length(&a)), "%s", name);
	return fd;
}

static void is_named(int fd, const char *name, int peer)
{
	struct sockaddr_un a, want = address(name ? name : "x");
	socklen_t n = sizeof a;

	check(!(peer ? getpeername : getsockname)(fd, (void *)&a, &n), "%s", name);
	if (!name)
		check(n == sizeof(sa_family_t), "a name of %d bytes", n);
	else
		check(n == length(&want) && !memcmp(&a, &want, n), "%d: \"%s\" (%d), not \"%s\"", fd, a.sun_path + !a.sun_path[0], n, name);
}

static void put(int fd, const char *text)
{
	check(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text), "%s", text);
}

/* The next message, or as much of a stream. */
static void expect(int fd, const char *text)
{
	ssize_t n = recv(fd, got, strlen(text) + 5, MSG_DONTWAIT);

	check(n == (ssize_t)strlen(text) && !memcmp(got, text, n), "%.*s (%zd), not %s", n < 0 ? 0 : (int)n, got, n, text);
}

static void empty(int fd)
{
	check(recv(fd, got, sizeof got, MSG_DONTWAIT) < 0 && errno == EAGAIN);
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

static void ready(void)
{
	test_ready();
	test_wait();
}

static void pairs(void)
{
	int stream[2], packet[2], datagram[2], big[2], same, flags;
	size_t filled = 0, read_ = 0;
	ssize_t n;

	check(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, stream) && !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, packet) &&
	      !socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram) && !socketpair(AF_UNIX, SOCK_STREAM, 0, big));
	same = dup(stream[0]);
	fcntl(stream[1], F_SETFL, 0);
	put(stream[0], "hello");
	put(stream[0], "world");
	expect(stream[1], "helloworld");
	put(stream[0], "again");
	put(stream[1], "other way");
	put(packet[0], "one");
	put(packet[0], "two2");
	check(send(datagram[1], sent, sizeof sent, 0) == sizeof sent);
	put(datagram[1], "second");
	put(datagram[1], "third");
	test_pattern(sent, sizeof sent, 3);
	while ((n = send(big[0], sent, sizeof sent, MSG_DONTWAIT)) > 0)
		filled += n;
	check(filled > 100000);
	ready();

	expect(stream[1], "again");
	expect(stream[0], "other way");
	talk(same, stream[1]);
	flags = fcntl(stream[0], F_GETFL);
	check(flags == (O_RDWR | O_NONBLOCK) && fcntl(stream[1], F_GETFL) == O_RDWR, "%o", flags);
	check(fcntl(packet[0], F_GETFD) == FD_CLOEXEC && fcntl(stream[0], F_GETFD) == 0);
	expect(packet[1], "one");
	expect(packet[1], "two2");
	talk(packet[0], packet[1]);
	check(recv(datagram[0], got, sizeof got, 0) == sizeof got);
	expect(datagram[0], "second");
	expect(datagram[0], "third");
	talk(datagram[0], datagram[1]);
	for (; read_ < filled; read_ += n) {
		size_t at = read_ % sizeof sent, want = sizeof sent - at;

		n = recv(big[1], got, want, MSG_DONTWAIT);
		check(n > 0 && !memcmp(got, sent + at, n), "after %zu of %zu", read_, filled);
	}
	talk(big[0], big[1]);
}

static void closed(void)
{
	int gone[2], half[2], deaf[2], packet[2], datagram[2], whole[2];

	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, gone) && !socketpair(AF_UNIX, SOCK_STREAM, 0, half) &&
	      !socketpair(AF_UNIX, SOCK_STREAM, 0, deaf) && !socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packet) &&
	      !socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram) && !socketpair(AF_UNIX, SOCK_STREAM, 0, whole));
	put(gone[0], "last words");
	close(gone[0]);
	put(half[0], "half");
	put(half[1], "other half");
	shutdown(half[0], SHUT_WR);
	shutdown(deaf[0], SHUT_RD);
	put(packet[0], "p1");
	put(packet[0], "p2");
	close(packet[0]);
	put(datagram[0], "d1");
	close(datagram[0]);
	shutdown(whole[0], SHUT_RDWR);
	ready();

	expect(gone[1], "last words");
	check(recv(gone[1], got, 1, 0) == 0 && send(gone[1], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	expect(half[1], "half");
	check(recv(half[1], got, 1, 0) == 0);
	expect(half[0], "other half");
	check(send(half[0], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	put(half[1], "still");
	expect(half[0], "still");
	check(send(deaf[1], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE && recv(deaf[0], got, 1, 0) == 0);
	put(deaf[0], "speaks");
	expect(deaf[1], "speaks");
	expect(packet[1], "p1");
	expect(packet[1], "p2");
	check(recv(packet[1], got, 1, 0) == 0);
	expect(datagram[1], "d1");
	empty(datagram[1]);
	check(send(datagram[1], "x", 1, 0) < 0 && errno == ECONNREFUSED);
	check(recv(whole[1], got, 1, 0) == 0 && recv(whole[0], got, 1, 0) == 0);
}

static void listen_on(const char *name, int type)
{
	int l = bound(type, name), c, s, later, other, backlog;
	struct stat st;
	char client[64];

	snprintf(client, sizeof client, "%s.client", name);
	check(!listen(l, 3));
	c = bound(type, client);
	{
		struct sockaddr_un a = address(name);

		check(!connect(c, (void *)&a, length(&a)));
	}
	s = accept(l, NULL, NULL);
	later = connected(type, name);
	other = accept(l, NULL, NULL);
	check(s >= 0 && other >= 0);
	put(c, "to server");
	put(s, "to client");
	close(later);
	if (name[0] != '@')
		check(!chmod(address(name).sun_path, 0640) && !chown(address(name).sun_path, 65534, 65533));
	ready();

	is_named(l, name, 0);
	is_named(s, name, 0);
	is_named(c, name, 1);
	is_named(c, client, 0);
	is_named(s, client, 1);
	is_named(other, name, 0);
	check(recv(other, got, 1, 0) == 0);
	expect(s, "to server");
	expect(c, "to client");
	talk(c, s);
	for (backlog = 0; backlog < 2; backlog++) {
		int again = connected(type, name), accepted = accept(l, NULL, NULL);

		check(accepted >= 0);
		talk(again, accepted);
		close(again);
		close(accepted);
	}
	for (backlog = 0; backlog < 10; backlog++) {
		struct sockaddr_un a = address(name);
		int full = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

		if (connect(full, (void *)&a, length(&a)) < 0)
			break;
	}
	check(backlog == 4, "the backlog holds %d", backlog);
	if (name[0] != '@') {
		check(!stat(address(name).sun_path, &st) && (st.st_mode & 07777) == 0640 && st.st_uid == 65534 && st.st_gid == 65533, "%o %d",
		      st.st_mode, st.st_uid);
		check(!stat(address(client).sun_path, &st) && S_ISSOCK(st.st_mode));
	}
}

static void backlog(void)
{
	int l = bound(SOCK_STREAM, "@waiting"), p = bound(SOCK_SEQPACKET, "waiting"), c[3], x, s;

	check(!listen(l, 1) && !listen(p, 5));
	c[0] = connected(SOCK_STREAM, "@waiting");
	c[1] = connected(SOCK_STREAM, "@waiting");
	c[2] = connected(SOCK_SEQPACKET, "waiting");
	ready();

	is_named(c[0], "@waiting", 1);
	put(c[0], "0");
	put(c[1], "1");
	for (x = 0; x < 2; x++) {
		s = accept(l, NULL, NULL);
		check(s >= 0 && recv(s, got, 10, 0) == 1);
		talk(s, c[got[0] - '0']);
	}
	fcntl(l, F_SETFL, O_NONBLOCK);
	check(accept(l, NULL, NULL) < 0 && errno == EAGAIN);
	s = accept(p, NULL, NULL);
	check(s >= 0);
	talk(s, c[2]);
}

static void names(void)
{
	int deleted, client, server, unbound, idle, rel, again, dgram, to;
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "relative" };
	struct stat st;
	char cwd[4096];

	deleted = bound(SOCK_STREAM, "deleted");
	check(!listen(deleted, 2));
	client = connected(SOCK_STREAM, "deleted");
	server = accept(deleted, NULL, NULL);
	unlink(address("deleted").sun_path);
	dgram = bound(SOCK_DGRAM, "gone");
	to = connected(SOCK_DGRAM, "gone");
	unlink(address("gone").sun_path);
	/* the name has gone to another socket since */
	close(bound(SOCK_STREAM, "deleted"));
	unbound = socket(AF_UNIX, SOCK_STREAM, 0);
	idle = bound(SOCK_STREAM, "idle");
	check(getcwd(cwd, sizeof cwd) && !chdir(test_path(".")));
	rel = socket(AF_UNIX, SOCK_DGRAM, 0);
	check(!bind(rel, (void *)&a, offsetof(struct sockaddr_un, sun_path) + 9));
	check(!chdir(cwd));
	ready();

	is_named(deleted, "deleted", 0);
	is_named(server, "deleted", 0);
	is_named(client, "deleted", 1);
	talk(client, server);
	check(!stat(address("deleted").sun_path, &st) && S_ISSOCK(st.st_mode));
	is_named(dgram, "gone", 0);
	is_named(to, "gone", 1);
	put(to, "to the deleted");
	expect(dgram, "to the deleted");
	check(stat(address("gone").sun_path, &st) < 0 && errno == ENOENT);
	is_named(unbound, NULL, 0);
	is_named(idle, "idle", 0);
	a = address("idle");
	check(connect(unbound, (void *)&a, length(&a)) < 0 && errno == ECONNREFUSED);
	check(!listen(idle, 1) && !connect(unbound, (void *)&a, length(&a)));
	again = accept(idle, NULL, NULL);
	talk(again, unbound);
	check(getcwd(cwd, sizeof cwd) && !chdir(test_path(".")));
	{
		struct sockaddr_un r = { .sun_family = AF_UNIX, .sun_path = "relative" };
		socklen_t n = sizeof a;

		check(!getsockname(rel, (void *)&a, &n) && n == offsetof(struct sockaddr_un, sun_path) + 9 && !strcmp(a.sun_path, "relative"));
		check(sendto(dgram, "rel", 3, 0, (void *)&r, offsetof(struct sockaddr_un, sun_path) + 9) == 3);
		expect(rel, "rel");
	}
	check(!chdir(cwd));
}

/* Relative names that are not how the path of their file ends, in a directory that has been left. */
static void crooked(void)
{
	static const char *const paths[2] = { ".//dotted", "below/../up" };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fds[2], sender;
	socklen_t n;

	check(!chdir(test_path(".")) && (!mkdir("below", 0777) || errno == EEXIST));
	for (int i = 0; i < 2; i++) {
		strcpy(a.sun_path, paths[i]);
		fds[i] = socket(AF_UNIX, SOCK_DGRAM, 0);
		check(!bind(fds[i], (void *)&a, length(&a)));
	}
	check(!chdir("/"));
	ready();

	sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	check(!chdir(test_path(".")));
	for (int i = 0; i < 2; i++) {
		n = sizeof a;
		check(!getsockname(fds[i], (void *)&a, &n) && !strcmp(a.sun_path, paths[i]));
		check(sendto(sender, "by", 2, 0, (void *)&a, n) == 2);
		expect(fds[i], "by");
	}
}

static void from(int fd, const char *text, const char *name)
{
	struct sockaddr_un a, want = address(name);
	socklen_t n = sizeof a;
	ssize_t r = recvfrom(fd, got, sizeof got, MSG_DONTWAIT, (void *)&a, &n);

	check(r == (ssize_t)strlen(text) && !memcmp(got, text, r), "%zd, not %s", r, text);
	check(n == length(&want) && !memcmp(&a, &want, n), "%s from %s", text, a.sun_path);
}

static void datagram(void)
{
	int server = bound(SOCK_DGRAM, "server"), abstract = bound(SOCK_DGRAM, "@server"), to = connected(SOCK_DGRAM, "server");
	int named = bound(SOCK_DGRAM, "named"), gone = bound(SOCK_DGRAM, "gone"), orphan = connected(SOCK_DGRAM, "gone");
	int self = bound(SOCK_DGRAM, "self");
	struct sockaddr_un a = address("server"), b = address("@server"), s = address("self");

	put(to, "connected");
	check(sendto(named, "named", 5, 0, (void *)&a, length(&a)) == 5 && sendto(gone, "leaves", 6, 0, (void *)&a, length(&a)) == 6);
	check(sendto(named, "x", 1, 0, (void *)&b, length(&b)) == 1);
	close(gone);
	check(!connect(self, (void *)&s, length(&s)));
	put(self, "to myself");
	ready();

	expect(server, "connected");
	from(server, "named", "named");
	from(server, "leaves", "gone");
	from(abstract, "x", "named");
	empty(server);
	put(to, "goes on");
	expect(server, "goes on");
	is_named(to, "server", 1);
	check(sendto(abstract, "y", 1, 0, (void *)&a, length(&a)) == 1);
	from(server, "y", "@server");
	check(send(orphan, "x", 1, 0) < 0 && errno == ECONNREFUSED);
	expect(self, "to myself");
	put(self, "once more");
	expect(self, "once more");
}

static void send_fds(int fd, const char *text, const int *fds, int count)
{
	char control[CMSG_SPACE(10 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = { NULL, 0, &iov, 1, control, CMSG_SPACE(count * sizeof(int)), 0 };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	check(sendmsg(fd, &msg, 0) == (ssize_t)strlen(text));
}

static void receive_fds(int fd, const char *text, int *fds, int count)
{
	char control[CMSG_SPACE(10 * sizeof(int))] = { 0 };
	struct iovec iov = { got, sizeof got };
	struct msghdr msg = { NULL, 0, &iov, 1, control, sizeof control, 0 };
	struct cmsghdr *c;

	check(recvmsg(fd, &msg, MSG_DONTWAIT) == (ssize_t)strlen(text) && !memcmp(got, text, strlen(text)), "%s", text);
	c = CMSG_FIRSTHDR(&msg);
	check(c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(count * sizeof(int)), "%s", text);
	memcpy(fds, CMSG_DATA(c), count * sizeof(int));
}

static void rights(void)
{
	int pair[2], packet[2], inner[2], piped[2], fds[3], in_inner, again[2];
	int file = open(test_path("file"), O_RDWR | O_CREAT, 0600), kept = open(test_path("kept"), O_RDWR | O_CREAT, 0600);

	check(file >= 0 && write(file, "0123456789", 10) == 10 && lseek(file, 4, SEEK_SET) == 4 && kept >= 0);
	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && !socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packet) &&
	      !socketpair(AF_UNIX, SOCK_STREAM, 0, inner) && !pipe(piped));
	fds[0] = file;
	fds[1] = kept;
	send_fds(pair[0], "two files", fds, 2);
	put(pair[0], "after");
	/* both ends of a pair, one with data and a descriptor in its own queue; of a pipe the only read end */
	send_fds(inner[0], "deep", &piped[0], 1);
	send_fds(packet[0], "pair", inner, 2);
	put(packet[0], "plain");
	close(file);
	close(inner[0]);
	close(inner[1]);
	close(piped[0]);
	check(write(piped[1], "in the pipe", 11) == 11);
	ready();

	receive_fds(pair[1], "two files", fds, 2);
	check(lseek(fds[0], 0, SEEK_CUR) == 4 && read(fds[0], got, 3) == 3 && !memcmp(got, "456", 3));
	check(lseek(kept, 7, SEEK_SET) == 7 && lseek(fds[1], 0, SEEK_CUR) == 7, "not the same open file");
	expect(pair[1], "after");
	receive_fds(packet[1], "pair", again, 2);
	expect(packet[1], "plain");
	receive_fds(again[1], "deep", &in_inner, 1);
	check(read(in_inner, got, 100) == 11 && !memcmp(got, "in the pipe", 11));
	talk(again[0], again[1]);
	talk(pair[0], pair[1]);
	check(fcntl(piped[1], F_GETFL) >= 0 && write(piped[1], "z", 1) == 1 && read(in_inner, got, 1) == 1 && got[0] == 'z');
}

static void with_cred(int fd, const char *text, pid_t pid)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = { 0 };
	struct iovec iov = { got, sizeof got };
	struct msghdr msg = { NULL, 0, &iov, 1, control, sizeof control, 0 };
	struct cmsghdr *c;
	struct ucred *u;

	check(recvmsg(fd, &msg, MSG_DONTWAIT) == (ssize_t)strlen(text) && !memcmp(got, text, strlen(text)), "%s", text);
	c = CMSG_FIRSTHDR(&msg);
	check(c && c->cmsg_type == SCM_CREDENTIALS);
	u = (void *)CMSG_DATA(c);
	check(u->pid == pid && u->uid == getuid() && u->gid == getgid(), "%d %d %d", u->pid, u->uid, u->gid);
}

static void credentials(void)
{
	int pair[2], datagram[2], one = 1;
	pid_t child;

	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && !socketpair(AF_UNIX, SOCK_DGRAM, 0, datagram));
	check(!setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one) && !setsockopt(datagram[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
	child = test_fork();
	if (!child) {
		put(pair[0], "child");
		put(datagram[0], "datagram");
		test_mark("sent");
		test_wait();
		_exit(0);
	}
	test_await("sent");
	put(pair[0], "parent");
	ready();

	with_cred(pair[1], "child", child);
	with_cred(pair[1], "parent", getpid());
	with_cred(datagram[1], "datagram", child);
	put(pair[0], "new");
	with_cred(pair[1], "new", getpid());
	test_join(child);
}

static void options(void)
{
	struct sock_filter code[] = { { BPF_LD | BPF_LEN, 0, 0, 0 }, { BPF_JMP | BPF_JGT | BPF_K, 0, 1, 3 }, { BPF_RET | BPF_K, 0, 0, 0 },
				      { BPF_RET | BPF_K, 0, 0, 0xffff } };
	struct sock_fprog program = { 4, code };
	struct timeval t = { 3, 500000 };
	struct linger l = { 1, 9 };
	static const int names[] = { SO_SNDBUF, SO_RCVBUF, SO_PRIORITY, SO_MARK, SO_PASSCRED, SO_KEEPALIVE, SO_TIMESTAMP, SO_PEEK_OFF, 72 };
	int values[] = { 50000, 60000, 3, 77, 1, 1, 1, 2, 1 }, before[9], after[9], pair[2], x;
	socklen_t n;

	check(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	for (x = 0; x < 9; x++) {
		check(!setsockopt(pair[0], SOL_SOCKET, names[x], &values[x], 4), "option %d", names[x]);
		n = 4;
		check(!getsockopt(pair[0], SOL_SOCKET, names[x], &before[x], &n));
	}
	check(!setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) && !setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &l, sizeof l) &&
	      !setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
	put(pair[1], "abc");
	ready();

	for (x = 0; x < 9; x++) {
		n = 4;
		check(!getsockopt(pair[0], SOL_SOCKET, names[x], &after[x], &n) && (after[x] == before[x] || x == 0), "option %d was %d, is %d",
		      names[x], before[x], after[x]);
	}
	n = sizeof t;
	check(!getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &t, &n) && t.tv_sec == 3 && t.tv_usec == 500000);
	n = sizeof l;
	check(!getsockopt(pair[0], SOL_SOCKET, SO_LINGER, &l, &n) && l.l_onoff == 1 && l.l_linger == 9);
	n = 0;
	check(!getsockopt(pair[0], SOL_SOCKET, SO_GET_FILTER, NULL, &n) && n == 4, "%d instructions", n);
	put(pair[1], "the filter drops this");
	put(pair[1], "def");
	check(recv(pair[0], got, 10, MSG_DONTWAIT) == 3 && !memcmp(got, "abc", 3));
	check(recv(pair[0], got, 10, MSG_DONTWAIT) == 3 && !memcmp(got, "def", 3));
}

/* A server with children that serve and children that ask. */
static void tree(void)
{
	int l = bound(SOCK_STREAM, "tree"), pair[2], s, c, x;
	pid_t children[5];

	check(!listen(l, 5) && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	for (x = 0; x < 2; x++) {
		char mark[16];

		snprintf(mark, sizeof mark, "asks%d", x);
		children[x] = test_fork();
		if (!children[x]) {
			c = connected(SOCK_STREAM, "tree");
			put(c, "question");
			test_mark(mark);
			test_wait();
			check(recv(c, got, 6, MSG_WAITALL) == 6 && !memcmp(got, "answer", 6));
			put(c, "thanks");
			check(recv(c, got, 1, 0) == 0);
			_exit(0);
		}
		s = accept(l, NULL, NULL);
		children[2 + x] = test_fork();
		if (!children[2 + x]) {
			close(l);
			snprintf(mark, sizeof mark, "serves%d", x);
			test_mark(mark);
			test_wait();
			check(recv(s, got, 8, MSG_WAITALL) == 8 && !memcmp(got, "question", 8));
			put(s, "answer");
			check(recv(s, got, 6, MSG_WAITALL) == 6 && !memcmp(got, "thanks", 6));
			_exit(0);
		}
		close(s);
		test_await(mark);
		snprintf(mark, sizeof mark, "serves%d", x);
		test_await(mark);
	}
	children[4] = test_fork();
	if (!children[4]) {
		close(pair[0]);
		test_mark("pair");
		test_wait();
		put(pair[1], "from below");
		check(recv(pair[1], got, 100, 0) == 10);
		_exit(0);
	}
	close(pair[1]);
	test_await("pair");
	ready();

	check(recv(pair[0], got, 10, MSG_WAITALL) == 10 && !memcmp(got, "from below", 10));
	put(pair[0], "from above");
	for (x = 0; x < 5; x++)
		test_join(children[x]);
	check(recv(pair[0], got, 1, 0) == 0);
	c = connected(SOCK_STREAM, "tree");
	talk(c, accept(l, NULL, NULL));
}

static void outside(void)
{
	int server, s;
	pid_t child = test_fork();

	if (!child) {
		setsid();
		if (fork())
			_exit(0);
		server = bound(SOCK_DGRAM, "outside");
		test_mark("bound");
		for (; recv(server, got, sizeof got, 0) > 0; memset(got, 0, 100))
			test_mark(got);
		_exit(0);
	}
	test_join(child);
	test_await("bound");
	s = connected(SOCK_DGRAM, "outside");
	put(s, "first");
	test_await("first");
	ready();

	is_named(s, "outside", 1);
	put(s, "again");
	test_await("again");
	check(send(s, "", 0, 0) == 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	test_init(argc, argv);
	if (!strcmp(what, "pairs"))
		pairs();
	else if (!strcmp(what, "closed"))
		closed();
	else if (!strcmp(what, "listen"))
		listen_on("socket", SOCK_STREAM);
	else if (!strcmp(what, "abstract"))
		listen_on("@abstract", SOCK_SEQPACKET);
	else if (!strcmp(what, "backlog"))
		backlog();
	else if (!strcmp(what, "names"))
		names();
	else if (!strcmp(what, "crooked"))
		crooked();
	else if (!strcmp(what, "datagram"))
		datagram();
	else if (!strcmp(what, "rights"))
		rights();
	else if (!strcmp(what, "credentials"))
		credentials();
	else if (!strcmp(what, "options"))
		options();
	else if (!strcmp(what, "tree"))
		tree();
	else if (!strcmp(what, "outside"))
		outside();
	else
		check(0, "no such test: %s", what);
	test_pass();
}
