/* SPDX-License-Identifier: MIT */
#include "tree/tracker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"

#define MAGIC 0x70637274u
#define PER_MESSAGE 64 /* below SCM_MAX_FD, unix(7) */
#define PATIENCE_S 2
#define TASKS_MAX 65536u

struct head {
	uint32_t magic, count;
	char name[TRACK_NAME_MAX];
};

static socklen_t address(pid_t root, uint64_t start_time, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return offsetof(struct sockaddr_un, sun_path) + 1 +
	       snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "pcr-track.%d.%llu", root, (unsigned long long)start_time);
}

/* Anybody may take an abstract name, and anybody connect to it. */
static bool is_ours(int socket)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &size) == 0 && (cred.uid == 0 || cred.uid == geteuid());
}

static void be_patient(int socket)
{
	struct timeval t = { .tv_sec = PATIENCE_S };

	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

union control {
	char buffer[CMSG_SPACE(PER_MESSAGE * sizeof(int))];
	struct cmsghdr align;
};

/* --- asking --- */

/* One message of entries with their descriptors. Returns how many, -1 when it is not one. */
static int receive(int socket, struct tracked *entries)
{
	union control control;
	struct iovec iov = { entries, PER_MESSAGE * sizeof(*entries) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buffer, .msg_controllen = sizeof(control.buffer) };
	ssize_t n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	size_t count = n > 0 ? n / sizeof(*entries) : 0, fds;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -1;
	fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < fds; i++) {
		int fd = ((int *)CMSG_DATA(c))[i];

		if (i < count && fds == count && !(m.msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
			entries[i].uffd = fd;
		else
			close(fd);
	}
	return fds == count && !(m.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) ? (int)count : -1;
}

int tracker_ask(pid_t root, uint64_t start_time, bool take, struct tracked_set *set)
{
	auto_fd s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct tracked entries[PER_MESSAGE];
	struct sockaddr_un a;
	struct head head;
	socklen_t size = address(root, start_time, &a);
	char what = take ? 'T' : 'G';

	be_patient(s);
	if (s < 0 || connect(s, (void *)&a, size) < 0 || !is_ours(s) || send(s, &what, 1, MSG_NOSIGNAL) != 1)
		return 0;
	if (recv(s, &head, sizeof(head), 0) != sizeof(head) || head.magic != MAGIC || head.count > TASKS_MAX ||
	    !memchr(head.name, 0, sizeof(head.name)))
		return 0;
	memcpy(set->name, head.name, sizeof(set->name));
	while (set->count < head.count) {
		int n = receive(s, entries);

		if (n <= 0) {
			/* What came so far may be used for what it is, but not for all of the tree. */
			set->name[0] = 0;
			break;
		}
		for (int i = 0; i < n; i++)
			*(struct tracked *)array_push(&set->list, &set->count, &set->room, sizeof(*entries)) = entries[i];
	}
	return 1;
}

/* --- the process --- */

static bool answer(int client, const struct tracked_set *set)
{
	struct head head = { .magic = MAGIC, .count = set->count };
	char what;

	be_patient(client);
	if (!is_ours(client) || recv(client, &what, 1, 0) != 1 || (what != 'G' && what != 'T'))
		return false;
	memcpy(head.name, set->name, sizeof(head.name));
	if (send(client, &head, sizeof(head), MSG_NOSIGNAL) < 0)
		return false;
	for (size_t i = 0; i < set->count; i += PER_MESSAGE) {
		size_t n = set->count - i < PER_MESSAGE ? set->count - i : PER_MESSAGE;
		union control control = { 0 };
		struct iovec iov = { set->list + i, n * sizeof(*set->list) };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buffer, .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (size_t j = 0; j < n; j++)
			memcpy(CMSG_DATA(c) + j * sizeof(int), &set->list[i + j].uffd, sizeof(int));
		if (sendmsg(client, &m, MSG_NOSIGNAL) < 0)
			return false;
	}
	return what == 'T';
}

static void track(int listener, const struct tracked_set *set, struct pollfd *polls)
{
	size_t alive = 0;

	for (size_t i = 0; i < set->count; i++)
		alive += polls[i].fd >= 0;
	polls[set->count] = (struct pollfd){ .fd = listener, .events = POLLIN };
	while (alive) {
		if (poll(polls, set->count + 1, -1) < 0)
			continue;
		for (size_t i = 0; i < set->count; i++)
			if (polls[i].fd >= 0 && polls[i].revents) {
				close(polls[i].fd);
				close(set->list[i].uffd);
				polls[i].fd = -1;
				alive--;
			}
		if (polls[set->count].revents) {
			auto_fd client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			struct tracked_set left = { 0 };
			bool taken;

			memcpy(left.name, set->name, sizeof(left.name));
			for (size_t i = 0; i < set->count; i++)
				if (polls[i].fd >= 0)
					*(struct tracked *)array_push(&left.list, &left.count, &left.room, sizeof(*left.list)) = set->list[i];
			taken = client >= 0 && answer(client, &left);
			free(left.list);
			if (taken)
				return;
		}
	}
}

/* Everything but the listener and the userfaultfds. */
static void close_others(int listener, const struct tracked_set *set)
{
	int null = open("/dev/null", O_RDWR), top = 3;

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	for (size_t i = 0; i <= set->count; i++) {
		int fd = i < set->count ? set->list[i].uffd : listener;

		top = fd > top ? fd : top;
	}
	for (int fd = 3; fd <= top; fd++) {
		bool keep = fd == listener;

		for (size_t i = 0; i < set->count && !keep; i++)
			keep = set->list[i].uffd == fd;
		if (!keep)
			close(fd);
	}
	close_range(top + 1, ~0U, 0);
}

static void become_tracker(int listener, const struct tracked_set *set) __attribute__((noreturn));
static void become_tracker(int listener, const struct tracked_set *set)
{
	struct pollfd *polls = xzalloc((set->count + 1) * sizeof(*polls));
	sigset_t none;

	setsid();
	prctl(PR_SET_NAME, "pcr-track");
	close_others(listener, set);
	if (chdir("/") < 0)
		_exit(1);
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < set->count; i++)
		polls[i] = (struct pollfd){ .fd = pidfd_open(set->list[i].pid, 0), .events = POLLIN };
	track(listener, set, polls);
	_exit(0);
}

int tracker_start(pid_t root, uint64_t start_time, const struct tracked_set *set)
{
	auto_fd s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	socklen_t size = address(root, start_time, &a);
	uint64_t deadline = now_us() + PATIENCE_S * 1000000;
	pid_t pid;

	/* The one before, which was asked to end, may need a moment. */
	while (s >= 0 && bind(s, (void *)&a, size) < 0) {
		if (errno != EADDRINUSE || now_us() > deadline)
			return err_errno("the process that holds the memory tracking cannot be reached by a socket");
		usleep(1000);
	}
	if (s < 0 || listen(s, 8) < 0)
		return err_errno("the process that holds the memory tracking cannot be reached by a socket");
	pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			become_tracker(s, set);
		_exit(0);
	}
	if (pid < 0)
		return err_errno("the process that holds the memory tracking cannot be started");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}
