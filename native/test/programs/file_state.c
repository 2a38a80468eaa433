/* SPDX-License-Identifier: MIT
 *
 * Files that are more than a path and an offset: deleted ones with holes and several names, locks, FIFOs, watches, memfds, entries of
 * /proc; one kind by argument. What must come back with them is looked at afterwards.
 */
#include "test.h"

#include <linux/aio_abi.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/sysmacros.h>

#define HOLE_AT (1 << 20)
#define SIZE (3 << 20)

static int a, b, c, d;
static char *p, *q;
static char got[PAGE];
static struct stat before;
static pid_t other;

static int make(const char *name, int flags)
{
	int fd = open(test_path(name), flags | O_CREAT, 0640);

	check(fd >= 0);
	return fd;
}

/* Deleted, with a hole, open twice, mapped, and with a second name that is gone too. */
static void holes_setup(void)
{
	a = make("deleted", O_RDWR);
	check(link(test_path("deleted"), test_path("second name")) == 0);
	b = open(test_path("second name"), O_RDONLY);
	check(pwrite(a, "head", 4, 0) == 4 && pwrite(a, "tail", 4, HOLE_AT) == 4 && ftruncate(a, SIZE) == 0);
	check(fchmod(a, 04751) == 0 && fchown(a, 12, 34) == 0);
	p = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a, HOLE_AT);
	check(unlink(test_path("deleted")) == 0 && unlink(test_path("second name")) == 0);
	check(lseek(a, 2, SEEK_SET) == 2 && fstat(a, &before) == 0);
}

static void holes_verify(void)
{
	struct stat st, second;

	check(fstat(a, &st) == 0 && fstat(b, &second) == 0);
	check(st.st_nlink == 0 && st.st_size == SIZE && st.st_ino == second.st_ino);
	check(st.st_uid == 12 && st.st_gid == 34, "%u:%u", st.st_uid, st.st_gid);
	check((st.st_mode & 07777) == (before.st_mode & 07777), "mode %o", st.st_mode);
	check(st.st_blocks == before.st_blocks, "%ld blocks, now %ld", (long)before.st_blocks, (long)st.st_blocks);
	check(st.st_mtim.tv_sec == before.st_mtim.tv_sec);
	check(read(a, got, 4) == 4 && !memcmp(got, "ad\0", 4));
	strcpy(p, "seen through all");
	check(pread(b, got, 16, HOLE_AT) == 16 && !memcmp(got, "seen through all", 16));
}

/* A name is gone, another is there. */
static void links_setup(void)
{
	a = make("first", O_RDWR);
	check(write(a, "contents", 8) == 8 && link(test_path("first"), test_path("kept")) == 0 && unlink(test_path("first")) == 0);
}

static void links_verify(void)
{
	struct stat st, kept;

	check(fstat(a, &st) == 0 && stat(test_path("kept"), &kept) == 0 && st.st_ino == kept.st_ino);
	check(access(test_path("first"), F_OK) < 0);
}

/* A directory that is gone, with a file in it and as working directory. */
static void in_removed_setup(void)
{
	check(mkdir(test_path("dir"), 0711) == 0 && chdir(test_path("dir")) == 0);
	a = make("dir/file", O_RDWR | O_APPEND);
	check(write(a, "in", 2) == 2 && unlink(test_path("dir/file")) == 0 && rmdir(test_path("dir")) == 0);
}

static void in_removed_verify(void)
{
	check(write(a, "to", 2) == 2 && pread(a, got, 9, 0) == 4 && !memcmp(got, "into", 4));
	check(access(test_path("dir"), F_OK) < 0 && open("x", O_CREAT | O_RDWR, 0600) < 0);
}

/* Made without a name: it can still be given one. */
static void tmpfile_setup(void)
{
	a = open(test_path("."), O_TMPFILE | O_RDWR, 0600);
	check(a >= 0 && write(a, "contents", 8) == 8);
	snprintf(got, sizeof got, "/proc/self/fd/%d", a);
	b = open(got, O_RDONLY);
}

static void tmpfile_verify(void)
{
	snprintf(got, sizeof got, "/proc/self/fd/%d", a);
	check(linkat(AT_FDCWD, got, AT_FDCWD, test_path("named"), AT_SYMLINK_FOLLOW) == 0);
	check(pread(b, got, 9, 0) == 8 && !memcmp(got, "contents", 8));
}

static void locks_setup(void)
{
	struct flock posix = { .l_type = F_WRLCK, .l_start = 10, .l_len = 20 }, shared = { .l_type = F_RDLCK, .l_start = 100 };
	struct flock ofd = { .l_type = F_WRLCK, .l_start = 5, .l_len = 7 };

	a = make("flock", O_RDWR);
	check(flock(a, LOCK_EX) == 0);
	b = make("posix", O_RDWR);
	check(fcntl(b, F_SETLK, &posix) == 0 && fcntl(b, F_SETLK, &shared) == 0);
	c = make("ofd", O_RDWR);
	check(fcntl(c, F_OFD_SETLK, &ofd) == 0);
	close(make("lease", O_RDWR));
	d = make("lease", O_RDONLY);
	check(fcntl(d, F_SETLEASE, F_RDLCK) == 0);
}

static void locks_verify(void)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open(test_path("flock"), O_RDWR);
	pid_t child;

	check(flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK, "flock was lost");
	fd = open(test_path("ofd"), O_RDWR);
	check(fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_start == 5 && lock.l_len == 7, "OFD lock was lost");
	check(fcntl(d, F_GETLEASE) == F_RDLCK, "the lease was lost");
	child = test_fork();
	if (!child) {
		lock = (struct flock){ .l_type = F_WRLCK };
		check(fcntl(b, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK && lock.l_start == 10 && lock.l_len == 20 && lock.l_pid == getppid());
		lock = (struct flock){ .l_type = F_WRLCK, .l_start = 50 };
		check(fcntl(b, F_GETLK, &lock) == 0 && lock.l_type == F_RDLCK && lock.l_start == 100 && lock.l_len == 0);
		_exit(0);
	}
	test_join(child);
}

static void fifos_setup(void)
{
	check(mkfifo(test_path("fifo"), 0640) == 0);
	a = open(test_path("fifo"), O_RDONLY | O_NONBLOCK);
	b = open(test_path("fifo"), O_WRONLY);
	check(write(b, "kept", 4) == 4 && fcntl(b, F_SETPIPE_SZ, 1 << 18) == 1 << 18);
	check(mkfifo(test_path("gone"), 0640) == 0);
	c = open(test_path("gone"), O_RDWR);
	check(write(c, "deleted", 7) == 7 && unlink(test_path("gone")) == 0);
}

static void fifos_verify(void)
{
	check(fcntl(a, F_GETPIPE_SZ) == 1 << 18);
	check(write(b, "!", 1) == 1 && read(a, got, 9) == 5 && !memcmp(got, "kept!", 5));
	check(read(a, got, 9) < 0 && errno == EAGAIN);
	close(b);
	check(read(a, got, 9) == 0, "another writer is left");
	check(read(c, got, 9) == 7 && !memcmp(got, "deleted", 7));
}

static void memfds_setup(void)
{
	a = memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	check(ftruncate(a, 5 * PAGE + 100) == 0 && pwrite(a, "at the end", 10, 5 * PAGE + 90) == 10);
	p = test_mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	q = test_mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, a, PAGE);
	test_pattern(p, 5 * PAGE, 7);
	strcpy(q, "mine");
	check(fcntl(a, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) == 0);
	b = memfd_create("plain", 0);
	snprintf(got, sizeof got, "/proc/self/fd/%d", a);
	c = open(got, O_RDONLY);
}

static void memfds_verify(void)
{
	check(fcntl(a, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE), "seals 0x%x", fcntl(a, F_GET_SEALS));
	check(fcntl(b, F_GET_SEALS) == F_SEAL_SEAL && lseek(b, 0, SEEK_END) == 0);
	check(lseek(c, 0, SEEK_END) == 5 * PAGE + 100 && pread(c, got, 20, 5 * PAGE + 90) == 10 && !memcmp(got, "at the end", 10));
	check(test_pattern_ok(p, 5 * PAGE, 7) && !strcmp(q, "mine"));
	p[3 * PAGE] = 1;
	check(pread(c, got, 1, 3 * PAGE) == 1 && got[0] == 1, "mapping and memfd have come apart");
	p[2 * PAGE] = 'S';
	check(q[PAGE] == 'S', "a page that was not written is not the memfd's any more");
}

static void watches_setup(void)
{
	check(mkdir(test_path("watched"), 0755) == 0);
	a = inotify_init1(IN_NONBLOCK);
	check(inotify_add_watch(a, test_path("."), IN_ATTRIB) == 1 && inotify_add_watch(a, "/dev/shm", IN_ATTRIB) == 2);
	check(inotify_rm_watch(a, 1) == 0 && inotify_add_watch(a, test_path("watched"), IN_CREATE | IN_ONESHOT) == 3);
	check(read(a, got, sizeof got) > 0);
	b = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
	if (b < 0)
		test_skip("no fanotify here");
	check(fanotify_mark(b, FAN_MARK_ADD, FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, AT_FDCWD, test_path("watched")) == 0);
}

static void watches_verify(void)
{
	struct inotify_event *e = (void *)got;
	struct fanotify_event_metadata *m = (void *)got;

	check(read(a, got, sizeof got) < 0 && errno == EAGAIN, "there are events that nobody caused");
	check(read(b, got, sizeof got) < 0 && errno == EAGAIN, "there are events that nobody caused");
	close(make("watched/new", O_RDWR));
	check(read(a, got, sizeof got) > 0 && e->wd == 3 && e->mask == IN_CREATE && !strcmp(e->name, "new"));
	check(read(b, got, sizeof got) >= (ssize_t)sizeof *m && m->mask == FAN_CLOSE_WRITE && m->fd >= 0);
	check(inotify_add_watch(a, test_path("."), IN_ATTRIB) == 4, "watches are numbered anew");
}

static void proc_setup(void)
{
	siginfo_t info;

	other = test_fork();
	if (!other) {
		test_mark("child");
		test_wait();
		for (;;)
			pause();
	}
	test_await("child");
	snprintf(got, sizeof got, "/proc/%d/comm", other);
	a = open(got, O_RDWR);
	b = open("/proc/self/oom_score_adj", O_RDONLY);
	c = pidfd_open(other, 0);
	if (!(other = test_fork()))
		_exit(0);
	check(waitid(P_PID, other, &info, WEXITED | WNOWAIT) == 0);
	snprintf(got, sizeof got, "/proc/%d/comm", other);
	d = open(got, O_RDONLY);
	check(a >= 0 && b >= 0 && c >= 0 && d >= 0 && waitpid(other, NULL, 0) == other);
}

static void proc_verify(void)
{
	siginfo_t info;

	check(pread(a, got, 20, 0) == 11 && !memcmp(got, "file_state\n", 11), "%.11s", got);
	check(pread(b, got, 20, 0) > 0);
	check(read(d, got, 20) < 0 && errno == ESRCH, "the ended process lives");
	check(pidfd_send_signal(c, SIGKILL, NULL, 0) == 0 && waitid(P_PIDFD, c, &info, WEXITED) == 0 && info.si_status == SIGKILL);
}

static void paths_setup(void)
{
	close(make("file", O_RDWR));
	check(symlink("nowhere", test_path("link")) == 0);
	a = open(test_path("file"), O_PATH);
	b = open(test_path("link"), O_PATH | O_NOFOLLOW);
	c = open(test_path("."), O_PATH);
	d = make("renamed", O_RDWR);
	check(rename(test_path("renamed"), test_path("with another name")) == 0);
}

static void paths_verify(void)
{
	check(read(a, got, 1) < 0 && errno == EBADF, "no O_PATH any more");
	check(readlinkat(b, "", got, sizeof got) == 7 && !memcmp(got, "nowhere", 7));
	check(faccessat(c, "file", F_OK, 0) == 0);
}

/* The file is removed by the runner while the process is down. */
static void vanished_setup(void)
{
	check(mkdir(test_path("vanishing"), 0755) == 0);
	a = make("vanishing/data", O_RDWR);
	check(ftruncate(a, 8 * PAGE) == 0);
	p = test_mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	close(a);
	test_pattern(p, 8 * PAGE, 3);
}

static void vanished_verify(void)
{
	struct stat st;

	check(stat(test_path("vanishing/data"), &st) == 0 && st.st_size == 8 * PAGE && (st.st_mode & 07777) == 0640);
	check(test_pattern_ok(p, 8 * PAGE, 3));
}

/* A node of /dev/zero that is gone, one that is another node of the same device now, and one that is another device now. */
static void devices_setup(void)
{
	static const char *const names[] = { "gone", "same", "other" };
	int *fds[] = { &a, &b, &c };

	for (int i = 0; i < 3; i++) {
		check(mknod(test_path(names[i]), S_IFCHR | 0620, makedev(1, 5)) == 0);
		*fds[i] = open(test_path(names[i]), O_RDWR);
		check(*fds[i] >= 0 && unlink(test_path(names[i])) == 0);
	}
	check(mknod(test_path("same"), S_IFCHR | 0660, makedev(1, 5)) == 0 && mknod(test_path("other"), S_IFCHR | 0620, makedev(1, 3)) == 0);
}

static void devices_verify(void)
{
	struct stat st;

	check(read(a, got, 2) == 2 && read(b, got, 2) == 2 && read(c, got, 2) == 2);
	check(fstat(a, &st) == 0 && st.st_rdev == makedev(1, 5));
	check(stat(test_path("other"), &st) == 0 && st.st_rdev == makedev(1, 3), "the other device's node was replaced");
}

static volatile int signals;

static void on_signal(int sig __attribute__((unused)))
{
	signals++;
}

/* Set by another user, whose rights the kernel remembers. */
static void owner_setup(void)
{
	int ends[2];

	check(pipe(ends) == 0);
	a = ends[0];
	b = ends[1];
	signal(SIGUSR2, on_signal);
	check(setresuid(0, 1000, 0) == 0 && fcntl(a, F_SETOWN, getpid()) == 0 && setresuid(0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
	check(fcntl(a, F_SETSIG, SIGUSR2) == 0 && fcntl(a, F_SETFL, O_ASYNC) == 0);
	c = make("of a group", O_RDWR);
	check(fcntl(c, F_SETOWN, -getpgrp()) == 0);
}

static void owner_verify(void)
{
	struct f_owner_ex owner;
	uint32_t uids[2];

	check(fcntl(a, 17 /* F_GETOWNER_UIDS */, uids) == 0 && uids[0] == 0 && uids[1] == 1000, "set by %u, %u", uids[0], uids[1]);
	check(fcntl(a, F_GETOWN_EX, &owner) == 0 && owner.type == F_OWNER_PID && owner.pid == getpid());
	check(write(b, "x", 1) == 1 && signals == 1);
	check(fcntl(c, F_GETOWN_EX, &owner) == 0 && owner.type == F_OWNER_PGRP && owner.pid == getpgrp());
}

/* Completions that nobody has fetched, some before them that somebody has. */
static aio_context_t context;

static void submit(uint64_t tag)
{
	struct iocb request = { .aio_data = tag, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = a, .aio_buf = (uint64_t)got, .aio_nbytes = 4 };
	struct iocb *requests[] = { &request };

	check(syscall(SYS_io_submit, context, 1, requests) == 1);
}

static void fetch(uint64_t tag)
{
	struct io_event event;
	struct timespec limit = { 10, 0 };

	check(syscall(SYS_io_getevents, context, 1, 1, &event, &limit) == 1 && event.data == tag && event.res == 4, "event %lu", (long)event.data);
}

static void aio_setup(void)
{
	a = make("read", O_RDWR);
	check(write(a, "data", 4) == 4 && syscall(SYS_io_setup, 20, &context) == 0);
	for (int i = 0; i < 300; i++) {
		submit(i);
		fetch(i);
	}
	submit(1001);
	submit(1002);
}

static void aio_verify(void)
{
	fetch(1001);
	submit(1003);
	fetch(1002);
	fetch(1003);
	for (int i = 0; i < 300; i++) {
		submit(i);
		fetch(i);
	}
	check(syscall(SYS_io_destroy, context) == 0);
}

static const struct kind {
	const char *name;
	void (*setup)(void), (*verify)(void);
} kinds[] = {
#define KIND(name) { #name, name##_setup, name##_verify }
	KIND(holes), KIND(links), KIND(in_removed), KIND(tmpfile), KIND(locks), KIND(fifos), KIND(memfds), KIND(watches), KIND(proc), KIND(paths),
	KIND(vanished), KIND(devices), KIND(owner), KIND(aio),
};

int main(int argc, char **argv)
{
	const struct kind *k = kinds;

	test_init(argc, argv);
	umask(0);
	while (strcmp(k->name, argv[2]))
		k++;
	k->setup();
	test_ready();
	test_wait();
	k->verify();
	test_pass();
}
