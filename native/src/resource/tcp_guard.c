/* SPDX-License-Identifier: MIT */
#include "resource/tcp_guard.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "tree/task.h"

#define REPAIR_OFF_SILENT (-1) /* TCP_REPAIR_OFF_NO_WP, linux/tcp.h */

static pid_t guard;
static pid_t *held; /* processes with a SIGSTOP that they have not seen */
static size_t held_count, held_room;
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

#define BIT(signal) (1ULL << ((signal) - 1))

/* SIGSTOP and SIGCONT take each other and other stop signals out of the queue; a SIGCONT that is caught or blocked would show. */
static bool can_be_held(const struct task *task)
{
	const uint64_t stops = BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU) | BIT(SIGCONT);
	static const char *const fields[] = { "SigPnd", "ShdPnd", "SigCgt", "SigBlk" };

	if (task->zombie)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *value = status_field(task->status, fields[i]);

		if (!value || strtoull(value, NULL, 16) & (i < 2 ? stops : BIT(SIGCONT)))
			return false;
	}
	for (size_t i = 0; i < task->thread_count; i++)
		if (task->threads[i].stop == 'T' || task->threads[i].sigmask & BIT(SIGCONT))
			return false;
	return true;
}

static void hold(const struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		if (can_be_held(tree->tasks[i]))
			*(pid_t *)array_push(&held, &held_count, &held_room, sizeof(*held)) = tree->tasks[i]->pid;
}

static void signal_held(int signal)
{
	for (size_t i = 0; i < held_count; i++)
		kill(held[i], signal);
}

/* What pcr asks of the process. */
struct order {
	int (*set)(void); /* NULL: it is over */
	void (*undo)(void);
};
struct answer {
	int code;
	char text[ERR_TEXT_MAX];
};

static void be_guard(int fd, const struct tcp_guarded *sockets, size_t count) __attribute__((noreturn));
static void be_guard(int fd, const struct tcp_guarded *sockets, size_t count)
{
	struct sched_param first = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	void (*undo)(void) = NULL;
	struct order order;
	struct answer answer;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	/* A process that is killed closes its files before it lets go of those it traces: who runs at once is mostly done before they run. */
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first) < 0)
		setpriority(PRIO_PROCESS, 0, -20);
	while (recv(fd, &order, sizeof(order), 0) == sizeof(order)) {
		if (!order.set)
			_exit(0);
		undo = order.undo;
		memset(&answer, 0, sizeof(answer));
		if (order.set() < 0) {
			answer.code = err_code();
			snprintf(answer.text, sizeof(answer.text), "%s", err_text());
		}
		send(fd, &answer, sizeof(answer), MSG_NOSIGNAL);
	}
	for (size_t i = 0; i < count; i++)
		tcp_guard_undo(&sockets[i]);
	signal_held(SIGCONT);
	if (undo)
		undo();
	_exit(0);
}

int tcp_guard_start(const struct tcp_guarded *sockets, size_t count, const struct tree *tree)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno("cannot make a pair of sockets");
	hold(tree);
	guard = fork();
	if (guard == 0) {
		close(ends[1]);
		be_guard(ends[0], sockets, count);
	}
	close(ends[0]);
	if (guard < 0) {
		close(ends[1]);
		guard = 0;
		held_count = 0;
		return err_errno("cannot start the process that watches over TCP connections");
	}
	to_guard = ends[1];
	signal_held(SIGSTOP);
	return 0;
}

int tcp_guard_set(int (*set)(void), void (*undo)(void))
{
	struct order order = { set, undo };
	struct answer answer;
	ssize_t n;

	/* The tick of a dump interrupts. */
	while ((n = send(to_guard, &order, sizeof(order), MSG_NOSIGNAL)) < 0 && errno == EINTR)
		;
	if (n == sizeof(order))
		while ((n = recv(to_guard, &answer, sizeof(answer), 0)) < 0 && errno == EINTR)
			;
	if (n != sizeof(answer))
		return err_set(EIO, "the process that watches over TCP connections has ended");
	answer.text[sizeof(answer.text) - 1] = 0;
	return answer.code ? err_set(answer.code, "%s", answer.text) : 0;
}

void tcp_guard_end(bool killed)
{
	const struct order over = { NULL, NULL };
	ssize_t n;

	if (!guard)
		return;
	/* While they are frozen: the signal takes the other out of the queue and is forgotten itself. */
	if (!killed)
		signal_held(SIGCONT);
	free(held);
	held = NULL;
	held_count = held_room = 0;
	while ((n = send(to_guard, &over, sizeof(over), MSG_NOSIGNAL)) < 0 && errno == EINTR)
		;
	if (n < 0)
		kill(guard, SIGKILL);
	close(to_guard);
	to_guard = -1;
	while (waitpid(guard, NULL, 0) < 0 && errno == EINTR)
		;
	guard = 0;
}
