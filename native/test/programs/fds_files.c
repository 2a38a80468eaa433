/* SPDX-License-Identifier: MIT
 *
 * Descriptors of regular files, directories and devices: offsets, access modes, flags, and that they still do what
 * their flags say. Argument: "files", "devices", "directories" (opened with O_DIRECTORY) or "more" (rare flags).
 */
#include "test.h"

#define MAX 32

static struct {
	const char *what;
	int fd, flags, cloexec;
	off_t offset;
	ino_t ino;
} fds[MAX];
static int count;

static int add(const char *what, const char *path, int flags, off_t offset)
{
	int fd = open(path, flags, 0644);
	struct stat st;

	check(fd >= 0, "%s", path);
	check(!offset || lseek(fd, offset, SEEK_SET) == offset);
	check(fstat(fd, &st) == 0);
	check(count < MAX);
	fds[count].what = what;
	fds[count].fd = fd;
	fds[count].flags = fcntl(fd, F_GETFL);
	fds[count].cloexec = fcntl(fd, F_GETFD);
	fds[count].offset = offset;
	fds[count].ino = st.st_ino;
	count++;
	return fd;
}

static void verify(void)
{
	struct stat st;
	int i;

	for (i = 0; i < count; i++) {
		int fd = fds[i].fd;

		check(fstat(fd, &st) == 0, "%s: descriptor %d", fds[i].what, fd);
		check(st.st_ino == fds[i].ino, "%s: another file", fds[i].what);
		check(fcntl(fd, F_GETFL) == fds[i].flags, "%s: flags %o, were %o", fds[i].what, fcntl(fd, F_GETFL),
		      fds[i].flags);
		check(fcntl(fd, F_GETFD) == fds[i].cloexec, "%s: close-on-exec %d, was %d", fds[i].what,
		      fcntl(fd, F_GETFD), fds[i].cloexec);
		if (S_ISREG(st.st_mode) && !(fds[i].flags & O_PATH))
			check(lseek(fd, 0, SEEK_CUR) == fds[i].offset, "%s: at %ld, was at %ld", fds[i].what,
			      lseek(fd, 0, SEEK_CUR), fds[i].offset);
	}
}

static void files(void)
{
	static char text[10000];
	char got[16] = "";
	int ro, wo, rw, ap, dir, sync, past, self;
	struct stat st;

	test_pattern(text, sizeof text, 1);
	rw = add("read and write", test_path("rw"), O_CREAT | O_RDWR, 0);
	check(write(rw, text, sizeof text) == sizeof text);
	check(lseek(rw, 5000, SEEK_SET) == 5000);
	fds[0].offset = 5000;
	ro = add("read only", test_path("rw"), O_RDONLY | O_CLOEXEC, 123);
	wo = add("write only", test_path("rw"), O_WRONLY, 9000);
	ap = add("append", test_path("append"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0);
	check(write(ap, "first ", 6) == 6);
	fds[3].offset = 6;
	dir = add("directory", test_path("."), O_RDONLY, 0);
	sync = add("synchronous", test_path("sync"), O_CREAT | O_RDWR | O_SYNC | O_NOATIME, 0);
	past = add("after the end", test_path("past"), O_CREAT | O_RDWR | O_NONBLOCK, 1ul << 40);
	add("empty", test_path("empty"), O_CREAT | O_RDONLY, 0);
	self = add("own executable", "/proc/self/exe", O_RDONLY, 64);
	add("odd name", test_path("a (deleted)\nfile"), O_CREAT | O_RDWR, 0);
	test_ready();
	test_wait();
	verify();
	check(read(ro, got, 10) == 10 && !memcmp(got, text + 123, 10));
	check(write(ro, "x", 1) < 0 && errno == EBADF);
	check(read(wo, got, 1) < 0 && errno == EBADF);
	check(write(wo, "written", 7) == 7 && pread(ro, got, 7, 9000) == 7 && !memcmp(got, "written", 7));
	check(read(rw, got, 8) == 8 && !memcmp(got, text + 5000, 8));
	/* somebody else appends; we append after that */
	{
		int other = open(test_path("append"), O_WRONLY | O_APPEND | O_CLOEXEC);

		check(write(other, "other ", 6) == 6 && write(ap, "second", 6) == 6);
		close(other);
	}
	check(stat(test_path("append"), &st) == 0 && st.st_size == 18, "%ld bytes", st.st_size);
	check(openat(dir, "append", O_RDONLY | O_CLOEXEC) >= 0);
	check(write(sync, "abc", 3) == 3);
	check(fstat(past, &st) == 0 && st.st_size == 0 && read(past, got, 1) == 0);
	check(pread(self, got, 4, 0) == 4 && !memcmp(got, "\177ELF", 4));
}

static void devices(void)
{
	char got[16] = "................";
	int null, zero, urandom, full;

	null = add("/dev/null", "/dev/null", O_RDWR, 0);
	zero = add("/dev/zero", "/dev/zero", O_RDONLY | O_CLOEXEC, 0);
	urandom = add("/dev/urandom", "/dev/urandom", O_RDONLY, 0);
	add("/dev/random", "/dev/random", O_RDONLY | O_NONBLOCK, 0);
	full = add("/dev/full", "/dev/full", O_WRONLY, 0);
	add("root directory", "/", O_RDONLY | O_CLOEXEC, 0);
	add("/dev/null again", "/dev/null", O_WRONLY | O_APPEND, 0);
	test_ready();
	test_wait();
	verify();
	check(read(null, got, 4) == 0 && write(null, got, 4) == 4);
	check(read(zero, got, 8) == 8 && !memcmp(got, "\0\0\0\0\0\0\0\0", 8));
	check(read(urandom, got, 8) == 8);
	check(write(full, got, 1) < 0 && errno == ENOSPC);
}

static void directories(void)
{
	int dir;

	dir = add("directory", test_path("."), O_RDONLY | O_DIRECTORY, 0);
	add("root", "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	test_ready();
	test_wait();
	verify();
	check(openat(dir, "go", O_RDONLY | O_CLOEXEC) >= 0);
}

static void more(void)
{
	int path;

	add("O_DIRECT", test_path("direct"), O_CREAT | O_RDWR | O_DIRECT, 4096);
	add("O_DSYNC", test_path("dsync"), O_CREAT | O_RDWR | O_DSYNC, 1);
	path = add("O_PATH", test_path("direct"), O_PATH, 0);
	add("O_PATH of a directory", test_path("."), O_PATH | O_CLOEXEC, 0);
	add("O_LARGEFILE", test_path("large"), O_CREAT | O_RDWR | O_LARGEFILE, 5ul << 32);
	test_ready();
	test_wait();
	verify();
	check(write(path, "x", 1) < 0 && errno == EBADF);
}

int main(int argc, char **argv)
{
	test_init(argc, argv);
	check(argc == 3);
	if (!strcmp(argv[2], "files"))
		files();
	else if (!strcmp(argv[2], "devices"))
		devices();
	else if (!strcmp(argv[2], "directories"))
		directories();
	else
		more();
	test_pass();
}
