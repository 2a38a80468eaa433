/* SPDX-License-Identifier: MIT
 *
 * Files in odd states: one by argument, looked at afterwards.
 */
#include "test.h"

#include <poll.h>
#include <sys/inotify.h>

static int a, b;
static char got[PAGE];

/* Made without a name (O_TMPFILE), given one later. */
static void tmpfile_linked_setup(void)
{
	char self[64];

	a = open(test_path("."), O_TMPFILE | O_RDWR, 0640);
	check(a >= 0 && write(a, "abc", 3) == 3);
	snprintf(self, sizeof self, "/proc/self/fd/%d", a);
	check(linkat(AT_FDCWD, self, AT_FDCWD, test_path("linked"), AT_SYMLINK_FOLLOW) == 0);
}

static void tmpfile_linked_verify(void)
{
	struct stat x, y;

	check(pread(a, got, 9, 0) == 3 && !memcmp(got, "abc", 3));
	check(fstat(a, &x) == 0 && stat(test_path("linked"), &y) == 0 && x.st_ino == y.st_ino && x.st_nlink == 1);
}

/* The working directory is /proc/PID of a process that has ended. */
static void dead_cwd_setup(void)
{
	pid_t pid = test_fork();

	if (!pid)
		for (;;)
			pause();
	snprintf(got, sizeof got, "/proc/%d", pid);
	check(chdir(got) == 0 && kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

static void dead_cwd_verify(void)
{
	char now[64];

	check(readlink("/proc/self/cwd", now, sizeof now) > 0 && !strncmp(now, "/proc/", 6));
	check(open("status", O_RDONLY) < 0);
}

static void kmsg_setup(void)
{
	a = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	b = open("/dev/kmsg", O_WRONLY);
	if (a < 0 || b < 0)
		test_skip("/dev/kmsg cannot be opened");
}

static void kmsg_verify(void)
{
	struct stat st;

	check(fstat(a, &st) == 0 && st.st_rdev == 0x10b && fstat(b, &st) == 0 && st.st_rdev == 0x10b);
	check((fcntl(a, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == (O_RDONLY | O_NONBLOCK) && (fcntl(b, F_GETFL) & O_ACCMODE) == O_WRONLY);
}

static void memfd_path_setup(void)
{
	a = memfd_create("by path", 0);
	snprintf(got, sizeof got, "/proc/self/fd/%d", a);
	b = open(got, O_PATH);
	check(a >= 0 && b >= 0);
}

static void memfd_path_verify(void)
{
	struct stat x, y;

	check(fcntl(b, F_GETFL) & O_PATH && read(b, got, 1) < 0 && errno == EBADF);
	check(fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino);
}

/* A watch of a deleted file that is still open. */
static void watch_deleted_setup(void)
{
	a = inotify_init1(IN_NONBLOCK);
	b = open(test_path("watched"), O_CREAT | O_RDWR, 0600);
	check(inotify_add_watch(a, test_path("watched"), IN_MODIFY) == 1);
	check(unlink(test_path("watched")) == 0);
}

static void watch_deleted_verify(void)
{
	struct inotify_event *e = (void *)got;

	check(read(a, got, sizeof got) < 0 && errno == EAGAIN, "an event out of nowhere");
	check(write(b, "x", 1) == 1);
	check(read(a, got, sizeof got) > 0 && e->wd == 1 && e->mask == IN_MODIFY);
}

static volatile int breaks;

static void broken(int sig)
{
	(void)sig;
	breaks++;
}

/* A lease that somebody else has begun to break. */
static void breaking(int lease, int with)
{
	b = open(test_path("leased"), O_CREAT | O_RDWR, 0600);
	close(b);
	a = open(test_path("leased"), lease == F_RDLCK ? O_RDONLY : O_RDWR);
	signal(SIGIO, broken);
	check(fcntl(a, F_SETLEASE, lease) == 0);
	check(open(test_path("leased"), with | O_NONBLOCK) < 0 && errno == EWOULDBLOCK && breaks == 1);
}

static void lease_breaking_setup(void)
{
	breaking(F_RDLCK, O_RDWR);
}

static void lease_downgrading_setup(void)
{
	breaking(F_WRLCK, O_RDONLY);
}

static void check_breaking(int target)
{
	check(fcntl(a, F_GETLEASE) == target, "lease %d", fcntl(a, F_GETLEASE));
	check(breaks == 1, "%d signals", breaks);
	check(open(test_path("leased"), O_RDWR | O_NONBLOCK) < 0 && errno == EWOULDBLOCK, "nobody waits for the lease");
	check(fcntl(a, F_SETLEASE, F_UNLCK) == 0);
	check(open(test_path("leased"), O_RDWR | O_NONBLOCK) >= 0);
}

static void lease_breaking_verify(void)
{
	check_breaking(F_UNLCK);
}

static void lease_downgrading_verify(void)
{
	check_breaking(F_RDLCK);
}

static volatile int arrived, arrived_on;

static void tell(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	arrived++;
	arrived_on = info->si_fd;
}

/* O_ASYNC: the signal names the descriptor. */
static void async_setup(void)
{
	struct sigaction sa = { .sa_sigaction = tell, .sa_flags = SA_SIGINFO };
	int p[2];

	check(sigaction(SIGRTMIN + 3, &sa, NULL) == 0 && pipe(p) == 0);
	a = p[0];
	b = p[1];
	check(fcntl(a, F_SETOWN, getpid()) == 0 && fcntl(a, F_SETSIG, SIGRTMIN + 3) == 0 && fcntl(a, F_SETFL, O_ASYNC) == 0);
}

static void async_verify(void)
{
	check(fcntl(a, F_GETFL) & O_ASYNC);
	check(write(b, "x", 1) == 1);
	check(arrived == 1 && arrived_on == a, "%d signals, the last on descriptor %d, not %d", arrived, arrived_on, a);
}

static void pty_mode_setup(void)
{
	a = posix_openpt(O_RDWR | O_NOCTTY);
	check(a >= 0 && grantpt(a) == 0 && unlockpt(a) == 0);
	b = open(ptsname(a), O_RDWR | O_NOCTTY);
	check(b >= 0 && fchmod(b, 0622) == 0 && fchown(b, 77, 88) == 0);
}

static void pty_mode_verify(void)
{
	struct stat st;

	check(fstat(b, &st) == 0 && (st.st_mode & 07777) == 0622 && st.st_uid == 77 && st.st_gid == 88, "mode %o, owner %u:%u", st.st_mode,
	      st.st_uid, st.st_gid);
}

static const struct test_kind kinds[] = {
	{ "tmpfile_linked", tmpfile_linked_setup, tmpfile_linked_verify },
	{ "dead_cwd", dead_cwd_setup, dead_cwd_verify },
	{ "kmsg", kmsg_setup, kmsg_verify },
	{ "memfd_path", memfd_path_setup, memfd_path_verify },
	{ "watch_deleted", watch_deleted_setup, watch_deleted_verify },
	{ "lease_breaking", lease_breaking_setup, lease_breaking_verify },
	{ "lease_downgrading", lease_downgrading_setup, lease_downgrading_verify },
	{ "async", async_setup, async_verify },
	{ "pty_mode", pty_mode_setup, pty_mode_verify },
};

int main(int argc, char **argv)
{
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof kinds[0], NULL);
}
