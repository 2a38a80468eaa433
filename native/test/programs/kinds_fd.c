/* SPDX-License-Identifier: MIT
 *
 * Descriptors that an engine may refuse or restore, but not forget: one kind by argument, each with state of its own
 * that is looked at afterwards. DIR/where names pid and descriptor.
 */
#include "test.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <termios.h>

static int a, b, c;
static char got[PAGE];

static void eventfd_setup(void)
{
	a = eventfd(7, EFD_SEMAPHORE | EFD_NONBLOCK);
}

static void eventfd_verify(void)
{
	uint64_t v = 0;

	check(read(a, &v, 8) == 8 && v == 1);
	check(read(a, &v, 8) == 8 && v == 1);
}

static void epoll_setup(void)
{
	int p[2];
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x1122334455667788 };

	check(!pipe(p));
	b = p[1];
	c = p[0];
	a = epoll_create1(EPOLL_CLOEXEC);
	check(epoll_ctl(a, EPOLL_CTL_ADD, p[0], &e) == 0);
}

static void epoll_verify(void)
{
	struct epoll_event e;

	check(epoll_wait(a, &e, 1, 0) == 0);
	check(write(b, "x", 1) == 1);
	check(epoll_wait(a, &e, 1, 0) == 1 && e.events == EPOLLIN && e.data.u64 == 0x1122334455667788);
	check(epoll_wait(a, &e, 1, 0) == 0, "EPOLLET was lost");
}

static void timerfd_setup(void)
{
	struct itimerspec t = { .it_value = { 5000, 0 }, .it_interval = { 77, 5 } };

	a = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	check(timerfd_settime(a, 0, &t, NULL) == 0);
}

static void timerfd_verify(void)
{
	struct itimerspec t;

	check(timerfd_gettime(a, &t) == 0 && t.it_interval.tv_sec == 77 && t.it_interval.tv_nsec == 5);
	check(t.it_value.tv_sec > 4000 && t.it_value.tv_sec <= 5000, "%ld", t.it_value.tv_sec);
}

static void signalfd_setup(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	a = signalfd(-1, &set, SFD_NONBLOCK);
}

static void signalfd_verify(void)
{
	struct signalfd_siginfo info;

	check(read(a, &info, sizeof info) < 0 && errno == EAGAIN);
	kill(getpid(), SIGUSR1);
	check(read(a, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
}

static void memfd_setup(void)
{
	a = memfd_create("some name", MFD_ALLOW_SEALING);
	check(write(a, "contents", 8) == 8 && lseek(a, 3, SEEK_SET) == 3);
	check(fcntl(a, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
}

static void memfd_verify(void)
{
	check(read(a, got, sizeof got) == 5 && !memcmp(got, "tents", 5));
	check(fcntl(a, F_GET_SEALS) == F_SEAL_SHRINK, "seals %x", fcntl(a, F_GET_SEALS));
	check(readlink("/proc/self/fd/3", got, sizeof got) > 0 && strstr(got, "some name"), "%s", got);
}

static void inotify_setup(void)
{
	a = inotify_init1(IN_NONBLOCK);
	check(inotify_add_watch(a, test_path("."), IN_CREATE) == 1);
	test_mark("before");
}

static void inotify_verify(void)
{
	struct inotify_event *e = (void *)got;
	ssize_t n;

	test_mark("after");
	for (;;) {
		n = read(a, got, sizeof got);
		check(n > 0, "no event");
		for (e = (void *)got; (char *)e < got + n; e = (void *)(e->name + e->len)) {
			check(e->wd == 1);
			if (strstr(e->name, ".tmp.after"))
				return;
		}
	}
}

static void pty_setup(void)
{
	struct termios t;

	a = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	check(a >= 0 && grantpt(a) == 0 && unlockpt(a) == 0);
	b = open(ptsname(a), O_RDWR | O_NOCTTY);
	check(b >= 0 && tcgetattr(b, &t) == 0);
	t.c_lflag &= ~(ECHO | ICANON);
	check(tcsetattr(b, TCSANOW, &t) == 0);
	check(write(b, "to master", 9) == 9);
}

static void pty_verify(void)
{
	struct termios t;
	struct pollfd p = { .fd = a, .events = POLLIN };

	check(tcgetattr(b, &t) == 0 && !(t.c_lflag & (ECHO | ICANON)));
	check(poll(&p, 1, 0) == 1 && read(a, got, sizeof got) == 9, "what was on its way through the terminal is lost");
	check(write(a, "x", 1) == 1 && read(b, got, 1) == 1);
}

static void unlinked_setup(void)
{
	a = open(test_path("unlinked"), O_CREAT | O_RDWR, 0644);
	check(write(a, "contents", 8) == 8 && lseek(a, 2, SEEK_SET) == 2);
	check(unlink(test_path("unlinked")) == 0);
}

static void unlinked_verify(void)
{
	struct stat st;

	check(read(a, got, sizeof got) == 6 && !memcmp(got, "ntents", 6));
	check(fstat(a, &st) == 0 && st.st_nlink == 0);
	check(access(test_path("unlinked"), F_OK) < 0);
}

static void replaced_setup(void)
{
	unlinked_setup();
	test_mark("unlinked"); /* another file has the name now */
}

static void replaced_verify(void)
{
	check(read(a, got, sizeof got) == 6 && !memcmp(got, "ntents", 6));
	check(access(test_path("unlinked"), F_OK) == 0);
}

static void tmpfile_setup(void)
{
	a = open(test_path("."), O_TMPFILE | O_RDWR, 0600);
	check(write(a, "contents", 8) == 8 && lseek(a, 2, SEEK_SET) == 2);
}

static void tmpfile_verify(void)
{
	check(read(a, got, sizeof got) == 6 && !memcmp(got, "ntents", 6));
}

static void fifo_setup(void)
{
	check(mkfifo(test_path("fifo"), 0666) == 0);
	a = open(test_path("fifo"), O_RDWR);
	check(write(a, "data", 4) == 4);
}

static void fifo_verify(void)
{
	check(read(a, got, sizeof got) == 4 && !memcmp(got, "data", 4));
}

static void proc_file_setup(void)
{
	a = open("/proc/self/comm", O_RDWR);
}

static void proc_file_verify(void)
{
	check(write(a, "renamed", 7) == 7 && prctl(PR_GET_NAME, got) == 0 && !strcmp(got, "renamed"));
}

static pid_t other;

static void pidfd_setup(void)
{
	other = test_fork();
	if (!other) {
		test_mark("child");
		test_wait();
		for (;;)
			pause();
	}
	test_await("child");
	a = pidfd_open(other, 0);
}

static void pidfd_verify(void)
{
	check(pidfd_send_signal(a, SIGKILL, NULL, 0) == 0 && waitpid(other, NULL, 0) == other);
}

static void mqueue_setup(void)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 64 };
	char name[64];

	snprintf(name, sizeof name, "/pcr.%d", getpid());
	a = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
	check(a >= 0 && mq_send(a, "message", 7, 1) == 0);
	mq_unlink(name);
}

static void mqueue_verify(void)
{
	check(mq_receive(a, got, 64, NULL) == 7 && !memcmp(got, "message", 7));
}

static volatile sig_atomic_t io;

static void on_io(int sig)
{
	(void)sig;
	io++;
}

static void owner_setup(void)
{
	int p[2];

	check(!pipe(p));
	a = p[0];
	b = p[1];
	signal(SIGUSR2, on_io);
	check(fcntl(a, F_SETOWN, getpid()) == 0 && fcntl(a, F_SETSIG, SIGUSR2) == 0);
	check(fcntl(a, F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
}

static void owner_verify(void)
{
	check(fcntl(a, F_GETOWN) == getpid() && fcntl(a, F_GETSIG) == SIGUSR2, "owner %d signal %d", fcntl(a, F_GETOWN),
	      fcntl(a, F_GETSIG));
	check(write(b, "x", 1) == 1 && io == 1, "O_ASYNC was lost");
}

static void flock_setup(void)
{
	a = open(test_path("locked"), O_CREAT | O_RDWR, 0644);
	check(flock(a, LOCK_EX) == 0);
}

static void flock_verify(void)
{
	int fd = open(test_path("locked"), O_RDWR);

	check(flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK, "the lock was lost");
}

static void lock_setup(int command)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = 10, .l_len = 5 };

	a = open(test_path("locked"), O_CREAT | O_RDWR, 0644);
	check(fcntl(a, command, &l) == 0);
}

static void posix_lock_setup(void)
{
	lock_setup(F_SETLK);
}

static void ofd_lock_setup(void)
{
	lock_setup(F_OFD_SETLK);
}

static void lock_verify(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_start = 12, .l_len = 1 };
	int fd = open(test_path("locked"), O_RDWR);

	check(fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_start == 10 && l.l_len == 5, "the lock was lost");
}

static void lease_setup(void)
{
	a = open(test_path("leased"), O_CREAT | O_RDONLY, 0644);
	check(fcntl(a, F_SETLEASE, F_RDLCK) == 0);
}

static void lease_verify(void)
{
	check(fcntl(a, F_GETLEASE) == F_RDLCK, "the lease was lost");
}

static void nsfs_setup(void)
{
	a = open("/proc/self/ns/uts", O_RDONLY);
}

static void nsfs_verify(void)
{
	struct stat x, y;

	check(fstat(a, &x) == 0 && stat("/proc/self/ns/uts", &y) == 0 && x.st_ino == y.st_ino);
}

static void bpf_setup(void)
{
	struct { uint32_t type, key_size, value_size, max_entries, flags; char rest[100]; } attr = { 2, 4, 8, 4, 0, "" };
	struct { uint32_t fd, pad; uint64_t key, value, flags; } update;
	uint64_t value = 99;
	uint32_t key = 1;

	a = syscall(SYS_bpf, 0, &attr, sizeof attr);
	check(a >= 0, "bpf");
	update.fd = a;
	update.pad = 0;
	update.key = (uint64_t)&key;
	update.value = (uint64_t)&value;
	update.flags = 0;
	check(syscall(SYS_bpf, 2, &update, sizeof update) == 0);
}

static void bpf_verify(void)
{
	struct { uint32_t fd, pad; uint64_t key, value, flags; } lookup;
	uint64_t value = 0;
	uint32_t key = 1;

	lookup.fd = a;
	lookup.pad = 0;
	lookup.key = (uint64_t)&key;
	lookup.value = (uint64_t)&value;
	lookup.flags = 0;
	check(syscall(SYS_bpf, 1, &lookup, sizeof lookup) == 0 && value == 99);
}

static void removed_dir_setup(void)
{
	check(mkdir(test_path("removed"), 0755) == 0);
	a = open(test_path("removed"), O_RDONLY | O_DIRECTORY);
	check(rmdir(test_path("removed")) == 0);
}

static void removed_dir_verify(void)
{
	struct stat st;

	check(fstat(a, &st) == 0 && S_ISDIR(st.st_mode) && st.st_nlink == 0);
}

static const struct test_kind kinds[] = {
	{ "eventfd", eventfd_setup, eventfd_verify },
	{ "epoll", epoll_setup, epoll_verify },
	{ "timerfd", timerfd_setup, timerfd_verify },
	{ "signalfd", signalfd_setup, signalfd_verify },
	{ "memfd", memfd_setup, memfd_verify },
	{ "inotify", inotify_setup, inotify_verify },
	{ "pty", pty_setup, pty_verify },
	{ "unlinked", unlinked_setup, unlinked_verify },
	{ "replaced", replaced_setup, replaced_verify },
	{ "tmpfile", tmpfile_setup, tmpfile_verify },
	{ "removed_dir", removed_dir_setup, removed_dir_verify },
	{ "fifo", fifo_setup, fifo_verify },
	{ "proc_file", proc_file_setup, proc_file_verify },
	{ "pidfd", pidfd_setup, pidfd_verify },
	{ "mqueue", mqueue_setup, mqueue_verify },
	{ "owner", owner_setup, owner_verify },
	{ "flock", flock_setup, flock_verify },
	{ "posix_lock", posix_lock_setup, lock_verify },
	{ "ofd_lock", ofd_lock_setup, lock_verify },
	{ "lease", lease_setup, lease_verify },
	{ "nsfs", nsfs_setup, nsfs_verify },
	{ "bpf", bpf_setup, bpf_verify },
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
