/* SPDX-License-Identifier: MIT */
#include "resource/self_writer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "ptrace/seize.h"

/* Between looks whether it stopped, which is by a SIGSTOP from outside, or ended. */
#define LOOK_MS 50
#define READY_US 2000000

struct self_writer {
	pid_t pid;
	int socket;
};

/* A signal that cannot be blocked stops a traced process until its tracer has seen it. Returns 0, or -1 with the error set when it is dead. */
static int look_after(pid_t pid)
{
	int status;
	pid_t got = waitpid(pid, &status, __WALL | WNOHANG);

	if (got == 0 || (got < 0 && errno == EINTR))
		return 0;
	if (got == pid && WIFSTOPPED(status)) {
		ptrace(PTRACE_CONT, pid, 0, 0);
		return 0;
	}
	return err_set(ESRCH, "the process that writes memory (pid %d) was killed", pid);
}

static int await_ready(pid_t pid, int mem_fd, uint64_t ready)
{
	uint64_t deadline = now_us() + READY_US;
	int32_t flag = 0;

	while (pread(mem_fd, &flag, sizeof(flag), ready) != sizeof(flag) || !flag) {
		if (look_after(pid) < 0)
			return -1;
		if (now_us() > deadline)
			return err_set(ETIMEDOUT, "the process that writes memory (pid %d) did not start", pid);
		usleep(20);
	}
	return 0;
}

struct self_writer *self_writer_open(pid_t pid, int mem_fd, uint64_t ready)
{
	auto_fd pidfd = pidfd_open(pid, 0);
	struct self_writer *w;
	int fd;

	if (await_ready(pid, mem_fd, ready) < 0)
		return NULL;
	fd = pidfd < 0 ? -1 : pidfd_getfd(pidfd, 1, 0);
	if (fd < 0) {
		err_errno("the socket of the process that writes memory (pid %d) cannot be taken over", pid);
		return NULL;
	}
	w = xzalloc(sizeof(*w));
	w->pid = pid;
	w->socket = fd;
	return w;
}

int self_writer_file(struct self_writer *w, int fd)
{
	struct copy_request request = { 0 };
	struct iovec part = { &request, sizeof(request) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(w->socket, &message, MSG_NOSIGNAL) != sizeof(request))
		return err_errno("the process that writes memory (pid %d) does not take a file", w->pid);
	return 0;
}

int self_writer_send(struct self_writer *w, uint64_t address, uint64_t pages)
{
	struct copy_request request = { address, pages };

	if (send(w->socket, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		return err_errno("the process that writes memory (pid %d) is gone", w->pid);
	return 0;
}

int self_writer_receive(struct self_writer *w, struct copy_reply *reply)
{
	for (;;) {
		struct pollfd p = { w->socket, POLLIN, 0 };
		int n = poll(&p, 1, LOOK_MS);

		if (n > 0)
			break;
		if (n < 0 && errno != EINTR)
			return err_errno("poll");
		if (look_after(w->pid) < 0)
			return -1;
	}
	if (recv(w->socket, reply, sizeof(*reply), 0) != sizeof(*reply))
		return err_set(ESRCH, "the process that writes memory (pid %d) is gone", w->pid);
	return 0;
}

void self_writer_cancel(struct self_writer *w)
{
	int status;

	kill(w->pid, SIGKILL);
	while (wait_thread(w->pid, &status) == 0 || errno == EINTR)
		;
}

void self_writer_close(struct self_writer *w)
{
	if (!w)
		return;
	close(w->socket);
	free(w);
}
