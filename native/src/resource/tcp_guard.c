/* SPDX-License-Identifier: MIT */
#include "resource/tcp_guard.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"

#define REPAIR_OFF_SILENT (-1) /* TCP_REPAIR_OFF_NO_WP, linux/tcp.h */

static pid_t guard;
static int to_guard = -1;

static void attach(const struct tcp_guarded *s)
{
	struct sock_fprog program = { s->filter_count, s->filter };
	int none = 0;

	if (!s->filter_count || setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		setsockopt(s->fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
}

void tcp_guard_undo(const struct tcp_guarded *s)
{
	int silent = REPAIR_OFF_SILENT, off = 0, on = 0;
	socklen_t n = sizeof(on);

	if (getsockopt(s->fd, SOL_TCP, TCP_REPAIR, &on, &n) == 0 && on) {
		if (setsockopt(s->fd, SOL_TCP, TCP_REPAIR, &silent, sizeof(silent)) < 0)
			setsockopt(s->fd, SOL_TCP, TCP_REPAIR, &off, sizeof(off));
		setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &s->reuse, sizeof(s->reuse));
	}
	attach(s);
}

int tcp_guard_deafen(const struct tcp_guarded *s)
{
	/* A TCP socket whose filter takes nothing drops every packet: the peer sends it again. */
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog program = { 1, nothing };

	return setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int tcp_guard_repair(const struct tcp_guarded *s)
{
	int on = 1;

	return setsockopt(s->fd, SOL_TCP, TCP_REPAIR, &on, sizeof(on));
}

int tcp_guard_start(const struct tcp_guarded *sockets, size_t count)
{
	int ends[2];
	sigset_t all;
	char byte;

	if (pipe(ends) < 0)
		return err_errno("cannot make a pipe");
	guard = fork();
	if (guard < 0) {
		close(ends[0]);
		close(ends[1]);
		guard = 0;
		return err_errno("cannot start the process that watches over TCP connections");
	}
	if (guard) {
		close(ends[0]);
		to_guard = ends[1];
		return 0;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	close(ends[1]);
	if (read(ends[0], &byte, 1) == 0)
		for (size_t i = 0; i < count; i++)
			tcp_guard_undo(&sockets[i]);
	_exit(0);
}

void tcp_guard_end(void)
{
	if (!guard)
		return;
	if (write(to_guard, "", 1) < 0)
		kill(guard, SIGKILL);
	close(to_guard);
	to_guard = -1;
	while (waitpid(guard, NULL, 0) < 0 && errno == EINTR)
		;
	guard = 0;
}
