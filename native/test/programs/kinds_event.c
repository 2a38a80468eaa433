/* SPDX-License-Identifier: MIT
 *
 * Descriptors that tell of events, locks and owners, in rare states: one kind by argument. DIR/where names the descriptor.
 */
#include "test.h"

#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <mqueue.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static int a, b, c;
static pid_t child;
static char got[PAGE];

static const char *where(unsigned long *value)
{
	*value = a;
	return "fd";
}

static int fds[2];

/* Edges that were told of already, and one-shots that are spent, stay quiet. */
static void epoll_edges_setup(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = 1 };

	a = epoll_create1(EPOLL_CLOEXEC);
	check(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	check(epoll_ctl(a, EPOLL_CTL_ADD, fds[0], &e) == 0);
	b = eventfd(1, 0);
	e = (struct epoll_event){ .events = EPOLLIN | EPOLLONESHOT, .data.u64 = 2 };
	check(epoll_ctl(a, EPOLL_CTL_ADD, b, &e) == 0);
	struct epoll_event out[4];
	check(epoll_wait(a, out, 4, 0) == 2);
	check(epoll_wait(a, out, 4, 0) == 0);
}

static void epoll_edges_verify(void)
{
	struct epoll_event out[4], e = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = 2 };
	int n = epoll_wait(a, out, 4, 0);

	/* An edge more than there was is allowed by epoll(7)'s rules; a one-shot that fires twice is not. */
	for (int i = 0; i < n; i++)
		check(out[i].data.u64 == 1, "a one-shot fired twice");
	check(epoll_ctl(a, EPOLL_CTL_MOD, b, &e) == 0 && epoll_wait(a, out, 4, 0) == 1 && out[0].data.u64 == 2);
	check(write(fds[1], "y", 1) == 1 && epoll_wait(a, out, 4, 100) == 1 && out[0].data.u64 == 1);
	check(epoll_wait(a, out, 4, 0) == 0);
}

static void epoll_exclusive_setup(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.u64 = 1ULL << 63 | 5 };

	a = epoll_create1(0);
	b = epoll_create1(0);
	c = eventfd(0, EFD_NONBLOCK);
	check(epoll_ctl(a, EPOLL_CTL_ADD, c, &e) == 0 && epoll_ctl(b, EPOLL_CTL_ADD, c, &e) == 0);
}

static void epoll_exclusive_verify(void)
{
	struct epoll_event out[4], e = { .events = EPOLLIN };

	check(eventfd_write(c, 1) == 0);
	check(epoll_wait(a, out, 4, 100) == 1 && out[0].data.u64 == (1ULL << 63 | 5));
	check(epoll_ctl(a, EPOLL_CTL_MOD, c, &e) < 0 && errno == EINVAL, "no longer exclusive");
}

/* The descriptor has been closed; a duplicate of it elsewhere keeps the file. */
static void epoll_closed_setup(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 7 };

	a = epoll_create1(0);
	b = eventfd(0, 0);
	check(epoll_ctl(a, EPOLL_CTL_ADD, b, &e) == 0);
	c = dup(b);
	close(b);
}

static void epoll_closed_verify(void)
{
	struct epoll_event out[4];

	check(eventfd_write(c, 1) == 0 && epoll_wait(a, out, 4, 100) == 1 && out[0].data.u64 == 7);
}

/* The number was given to another file. */
static void epoll_reused_setup(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 8 };

	epoll_closed_setup();
	check(eventfd(0, 0) == b && epoll_ctl(a, EPOLL_CTL_ADD, b, &e) == 0);
}

static void epoll_reused_verify(void)
{
	struct epoll_event out[4];

	check(eventfd_write(b, 1) == 0 && epoll_wait(a, out, 4, 100) == 1 && out[0].data.u64 == 8);
	check(eventfd_write(c, 1) == 0 && epoll_wait(a, out, 4, 100) == 2);
}

/* Only a child has the file that is watched by the parent's epoll. */
static void epoll_child_setup(void)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = 9 };

	a = epoll_create1(0);
	b = eventfd(0, 0);
	check(epoll_ctl(a, EPOLL_CTL_ADD, b, &e) == 0);
	child = test_fork();
	if (!child) {
		test_wait();
		check(eventfd_write(b, 1) == 0);
		test_await("told");
		_exit(0);
	}
	close(b);
}

static void epoll_child_verify(void)
{
	struct epoll_event out[4];

	check(epoll_wait(a, out, 4, 5000) == 1 && out[0].data.u64 == 9);
	test_mark("told");
	test_join(child);
}

/* Ticks that were not read, clocks, settings. */
static void timerfds_setup(void)
{
	struct itimerspec t = { { 0, 1000000 }, { 0, 1000000 } }, far = { { 100, 0 }, { 1000, 500 } };

	a = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	check(timerfd_settime(a, 0, &t, NULL) == 0);
	poll(&(struct pollfd){ .fd = a, .events = POLLIN }, 1, 100);
	b = timerfd_create(CLOCK_BOOTTIME, 0);
	check(timerfd_settime(b, 0, &far, NULL) == 0);
	c = timerfd_create(CLOCK_REALTIME, 0);
	clock_gettime(CLOCK_REALTIME, &far.it_value);
	far.it_value.tv_sec += 5000;
	check(timerfd_settime(c, TFD_TIMER_ABSTIME | 2 /* TFD_TIMER_CANCEL_ON_SET */, &far, NULL) == 0);
}

static void timerfds_verify(void)
{
	struct itimerspec t;
	uint64_t ticks;

	check(read(a, &ticks, 8) == 8 && ticks >= 1);
	check(timerfd_gettime(b, &t) == 0 && t.it_interval.tv_sec == 100 && t.it_value.tv_sec > 900 && t.it_value.tv_sec <= 1000);
	check(timerfd_gettime(c, &t) == 0 && t.it_value.tv_sec > 4900 && t.it_value.tv_sec <= 5000);
	snprintf(got, 64, "/proc/self/fdinfo/%d", c);
	check(read(open(got, O_RDONLY), got, sizeof got) > 0 && strstr(got, "settime flags: 03"), "%s", got);
}

/* One-shot, expired, not read. */
static void timerfd_once_setup(void)
{
	struct itimerspec t = { { 0, 0 }, { 0, 1 } };

	a = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	b = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	check(timerfd_settime(a, 0, &t, NULL) == 0 && timerfd_settime(b, 0, &t, NULL) == 0);
	check(poll(&(struct pollfd){ .fd = a, .events = POLLIN }, 1, 1000) == 1 && poll(&(struct pollfd){ .fd = b, .events = POLLIN }, 1, 1000) == 1);
	uint64_t n;
	check(read(b, &n, 8) == 8 && n == 1);
}

static void timerfd_once_verify(void)
{
	uint64_t n;

	check(read(a, &n, 8) == 8 && n == 1 && read(a, &n, 8) < 0 && errno == EAGAIN);
	check(read(b, &n, 8) < 0 && errno == EAGAIN, "it expired twice");
}

static void signalfd_setup(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 5);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	a = signalfd(-1, &set, SFD_NONBLOCK);
	check(kill(getpid(), SIGUSR1) == 0 && sigqueue(getpid(), SIGRTMIN + 5, (union sigval){ .sival_int = 99 }) == 0);
}

static void signalfd_verify(void)
{
	struct signalfd_siginfo s[3];

	check(read(a, s, sizeof s) == 2 * sizeof *s && s[0].ssi_signo == SIGUSR1 && s[1].ssi_int == 99);
}

static void inotify_events_setup(void)
{
	a = inotify_init1(IN_NONBLOCK);
	check(mkdir(test_path("d"), 0700) == 0 && inotify_add_watch(a, test_path("d"), IN_ALL_EVENTS) == 1);
	check(inotify_add_watch(a, test_path("."), IN_DELETE_SELF) == 2 && inotify_rm_watch(a, 2) == 0 && read(a, got, sizeof got) > 0);
	close(open(test_path("d/one"), O_CREAT | O_RDWR, 0600));
}

static int count_events(int fd)
{
	ssize_t n = read(fd, got, sizeof got), at = 0;
	int count = 0;

	for (; at < n; count++)
		at += sizeof(struct inotify_event) + ((struct inotify_event *)(got + at))->len;
	return count;
}

static void inotify_events_verify(void)
{
	int n = count_events(a);

	check(n == 3, "%d events", n);
	check(unlink(test_path("d/one")) == 0 && count_events(a) == 1);
}

static void fanotify_setup(void)
{
	a = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE, O_RDONLY);
	if (a < 0)
		test_skip("no fanotify here");
	close(open(test_path("f"), O_CREAT | O_RDWR, 0600));
	check(fanotify_mark(a, FAN_MARK_ADD, FAN_MODIFY | FAN_CLOSE_WRITE, AT_FDCWD, test_path("f")) == 0);
	check(mkdir(test_path("d"), 0700) == 0);
	check(fanotify_mark(a, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD | FAN_ONDIR, AT_FDCWD, test_path("d")) == 0);
	check(fanotify_mark(a, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY, FAN_MODIFY, AT_FDCWD, test_path("f")) == 0);
}

static int fan_events(void)
{
	ssize_t n = read(a, got, sizeof got);
	int count = 0;

	for (struct fanotify_event_metadata *e = (void *)got; FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n), count++)
		close(e->fd);
	return count;
}

static void fanotify_verify(void)
{
	b = open(test_path("f"), O_RDWR);
	check(write(b, "x", 1) == 1 && close(b) == 0);
	check(fan_events() == 1);
	close(open(test_path("d"), O_RDONLY | O_DIRECTORY));
	check(fan_events() == 1);
}

static void fanotify_events_setup(void)
{
	fanotify_setup();
	b = open(test_path("f"), O_RDWR);
	check(close(b) == 0);
}

static void fanotify_events_verify(void)
{
	check(fan_events() == 1, "the event is lost");
}

static void fanotify_fid_setup(void)
{
	a = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME, 0);
	if (a < 0)
		test_skip("no fanotify here");
	check(mkdir(test_path("d"), 0700) == 0);
	check(fanotify_mark(a, FAN_MARK_ADD, FAN_CREATE | FAN_DELETE, AT_FDCWD, test_path("d")) == 0);
}

static void fanotify_fid_verify(void)
{
	ssize_t n;

	close(open(test_path("d/new"), O_CREAT, 0600));
	n = read(a, got, sizeof got);
	check(n > 0 && ((struct fanotify_event_metadata *)got)->mask & FAN_CREATE && memmem(got, n, "new", 4));
}

static void fanotify_mount_setup(void)
{
	a = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
	if (a < 0)
		test_skip("no fanotify here");
	check(fanotify_mark(a, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_DELETE_SELF, AT_FDCWD, test_path(".")) == 0 ||
	      fanotify_mark(a, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_MODIFY, AT_FDCWD, "/sys") == 0);
}

static void fanotify_mount_verify(void)
{
	snprintf(got, 64, "/proc/self/fdinfo/%d", a);
	check(read(open(got, O_RDONLY), got, sizeof got) > 0 && strstr(got, "fanotify mnt_id"), "%s", got);
}

/* --- pidfd --- */

static int state(int fd)
{
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0);
}

static void pidfd_zombie_setup(void)
{
	child = test_fork();
	if (!child)
		_exit(7);
	a = pidfd_open(child, 0);
	siginfo_t info;
	check(a >= 0 && waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0 && state(a) == 1);
}

static void pidfd_zombie_verify(void)
{
	siginfo_t info = { 0 };

	check(state(a) == 1 && waitid(P_PIDFD, a, &info, WEXITED) == 0 && info.si_pid == child && info.si_status == 7);
}

static void pidfd_dead_setup(void)
{
	pidfd_zombie_setup();
	check(waitpid(child, NULL, 0) == child);
	b = dup(a);
}

static void pidfd_dead_verify(void)
{
	check(pidfd_send_signal(a, 0, NULL, 0) < 0 && errno == ESRCH && pidfd_send_signal(b, 0, NULL, 0) < 0 && errno == ESRCH && state(a) >= 1);
}

static void pidfd_thread_setup(void)
{
	a = pidfd_open(getpid(), PIDFD_THREAD);
	if (a < 0)
		test_skip("no PIDFD_THREAD");
}

static void pidfd_thread_verify(void)
{
	check(fcntl(a, F_GETFL) & PIDFD_THREAD, "%o", fcntl(a, F_GETFL));
	check(pidfd_send_signal(a, 0, NULL, 0) == 0);
}

static void pidfd_outside_setup(void)
{
	a = pidfd_open(1, 0);
	check(a >= 0);
}

static void pidfd_outside_verify(void)
{
	check(state(a) == 0);
}

/* --- owners --- */

static volatile int hits, hit_fd;

static void hit(int sig, siginfo_t *info, void *x)
{
	(void)sig, (void)x;
	hits++;
	hit_fd = info->si_fd;
}

static void owner_tid_setup(void)
{
	struct sigaction sa = { .sa_sigaction = hit, .sa_flags = SA_SIGINFO };
	struct f_owner_ex owner = { F_OWNER_TID, 0 };

	sigaction(SIGRTMIN + 3, &sa, NULL);
	check(pipe(fds) == 0);
	a = fds[0];
	owner.pid = gettid();
	check(fcntl(a, F_SETOWN_EX, &owner) == 0 && fcntl(a, F_SETSIG, SIGRTMIN + 3) == 0 && fcntl(a, F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
	check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds + 0) == 0 || 1);
	b = fds[0];
	c = fds[1];
	check(fcntl(b, F_SETOWN, -getpgrp()) == 0 && fcntl(b, F_SETFL, O_ASYNC) == 0 && fcntl(b, F_SETSIG, SIGRTMIN + 3) == 0);
}

static void owner_tid_verify(void)
{
	struct f_owner_ex owner;

	check(fcntl(a, F_GETOWN_EX, &owner) == 0 && owner.type == F_OWNER_TID && owner.pid == gettid(), "%d %d", owner.type, owner.pid);
	check(fcntl(a, F_GETSIG) == SIGRTMIN + 3 && fcntl(a, F_GETFL) & O_ASYNC);
	check(fcntl(b, F_GETOWN_EX, &owner) == 0 && owner.type == F_OWNER_PGRP && owner.pid == getpgrp(), "%d %d", owner.type, owner.pid);
	check(hits == 0 && write(c, "x", 1) == 1);
	for (int i = 0; i < 1000 && !hits; i++)
		usleep(1000);
	check(hits == 1 && hit_fd == b, "%d on %d", hits, hit_fd);
}

/* --- locks --- */

static int locked_by(int fd, off_t from, off_t length, int type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = length };

	check(fcntl(fd, F_OFD_GETLK, &l) == 0);
	return l.l_type;
}

static void locks_setup(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 0 };

	a = open(test_path("lock"), O_CREAT | O_RDWR, 0600);
	check(fcntl(a, F_SETLK, &l) == 0);
	l.l_type = F_RDLCK, l.l_start = 10, l.l_len = 5;
	check(fcntl(a, F_SETLK, &l) == 0);
	l.l_type = F_UNLCK, l.l_start = 200, l.l_len = 1;
	check(fcntl(a, F_SETLK, &l) == 0);
	b = open(test_path("lock2"), O_CREAT | O_RDWR, 0600);
	l = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 2 };
	check(fcntl(b, F_OFD_SETLK, &l) == 0);
	dup(b);
	c = open(test_path("."), O_RDONLY | O_DIRECTORY);
	check(flock(c, LOCK_EX) == 0);
	child = test_fork();
	if (!child) {
		test_wait();
		_exit(0);
	}
}

static void locks_verify(void)
{
	int other = open(test_path("lock"), O_RDWR), other2 = open(test_path("lock2"), O_RDWR), other3 = open(test_path("."), O_RDONLY);

	check(locked_by(other, 100, 100, F_RDLCK) == F_WRLCK && locked_by(other, 201, 0, F_RDLCK) == F_WRLCK && locked_by(other, 200, 1, F_WRLCK) == F_UNLCK);
	check(locked_by(other, 10, 5, F_RDLCK) == F_UNLCK && locked_by(other, 10, 5, F_WRLCK) == F_RDLCK && locked_by(other, 0, 10, F_WRLCK) == F_UNLCK);
	check(locked_by(other, 1L << 60, 1, F_WRLCK) == F_WRLCK);
	check(locked_by(other2, 1, 2, F_RDLCK) == F_WRLCK && locked_by(other2, 3, 0, F_WRLCK) == F_UNLCK);
	check(flock(other3, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	test_join(child);
	close(a);
	check(locked_by(other, 0, 0, F_WRLCK) == F_UNLCK);
	check(flock(c, LOCK_SH) == 0 && flock(other3, LOCK_SH | LOCK_NB) == 0);
}

/* --- others --- */

static aio_context_t ctx;

static void aio_flight_setup(void)
{
	struct iocb io = { .aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN }, *list = &io;

	check(pipe(fds) == 0);
	io.aio_fildes = a = fds[0];
	if (syscall(SYS_io_setup, 4, &ctx) || syscall(SYS_io_submit, ctx, 1, &list) != 1)
		test_skip("no AIO poll");
}

static void aio_flight_verify(void)
{
	struct io_event e;
	struct timespec t = { 1, 0 };

	check(write(fds[1], "x", 1) == 1 && syscall(SYS_io_getevents, ctx, 1L, 1L, &e, &t) == 1, "the request is lost");
}

static void aio_done_setup(void)
{
	aio_flight_setup();
	check(write(fds[1], "x", 1) == 1);
}

static void aio_done_verify(void)
{
	struct io_event e;
	struct timespec t = { 1, 0 };

	check(syscall(SYS_io_getevents, ctx, 1L, 1L, &e, &t) == 1, "the event is lost");
}

static void mq_setup(void)
{
	struct mq_attr attr = { .mq_maxmsg = 5, .mq_msgsize = 100 };
	char name[32];

	snprintf(name, sizeof name, "/pcr-test-%d", getpid());
	a = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
	if (a < 0)
		test_skip("no message queues");
	check(mq_send(a, "low", 3, 1) == 0 && mq_send(a, "high", 4, 9) == 0);
	mq_unlink(name);
}

static void mq_verify(void)
{
	unsigned prio;

	check(mq_receive(a, got, 100, &prio) == 4 && prio == 9);
	check(mq_receive(a, got, 100, &prio) == 3 && prio == 1);
}

int main(int argc, char **argv)
{
#define KIND(x) { #x, x##_setup, x##_verify }
	static const struct test_kind kinds[] = {
		KIND(epoll_edges), KIND(epoll_exclusive), KIND(epoll_closed), KIND(epoll_reused), KIND(epoll_child),
		KIND(timerfds), KIND(timerfd_once), KIND(signalfd), KIND(inotify_events), KIND(fanotify), KIND(fanotify_events), KIND(fanotify_fid),
		KIND(fanotify_mount), KIND(pidfd_zombie), KIND(pidfd_dead), KIND(pidfd_thread), KIND(pidfd_outside), KIND(owner_tid), KIND(locks),
		KIND(aio_flight), KIND(aio_done), KIND(mq),
	};

	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof *kinds, where);
}
