/* SPDX-License-Identifier: MIT
 *
 * Files and directories without a name, with all that belongs to them: one kind by argument.
 */
#include "test.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

static int a, b, c;
static char got[PAGE];

static int made(const char *name, int flags, int mode)
{
	int fd = open(test_path(name), flags | O_CREAT, mode);

	check(fd >= 0, "%s", name);
	return fd;
}

/* Owner, mode, times and extended attributes. */
static const struct timespec times[2] = { { 1111111111, 111111000 }, { 2222222222, 222222000 } };

static void attributes_setup(void)
{
	a = made("attributes", O_RDWR, 0600);
	check(write(a, "content", 7) == 7);
	if (geteuid() == 0)
		check(fchown(a, 12, 34) == 0);
	check(fchmod(a, 04751) == 0);
	if (fsetxattr(a, "user.colour", "blue", 4, 0) && errno == ENOTSUP)
		test_skip("no extended attributes here");
	if (geteuid() == 0)
		check(fsetxattr(a, "trusted.note", "\0binary", 7, 0) == 0);
	check(futimens(a, times) == 0);
	check(unlink(test_path("attributes")) == 0);
}

static void attributes_verify(void)
{
	struct stat st;

	check(fstat(a, &st) == 0 && st.st_mode == (S_IFREG | 04751) && st.st_nlink == 0, "mode %o, %lu links", st.st_mode, (long)st.st_nlink);
	check(geteuid() || (st.st_uid == 12 && st.st_gid == 34), "%u:%u", st.st_uid, st.st_gid);
	check(st.st_mtim.tv_sec == times[1].tv_sec && st.st_mtim.tv_nsec == times[1].tv_nsec, "%ld.%09ld", st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	check(fgetxattr(a, "user.colour", got, sizeof got) == 4 && !memcmp(got, "blue", 4));
	check(geteuid() || (fgetxattr(a, "trusted.note", got, sizeof got) == 7 && !memcmp(got, "\0binary", 7)));
	check(lseek(a, 0, SEEK_CUR) == 7 && pread(a, got, 9, 0) == 7 && !memcmp(got, "content", 7));
}

/* A POSIX access control list, which is an extended attribute of its own rules. */
static void acl_setup(void)
{
	/* version 2; owner rw, this user r, group r, mask r, others nothing (linux/posix_acl_xattr.h) */
	unsigned uid = geteuid();
	unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 7, 0, 0, 0,
					     4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };

	memcpy(acl + 16, &uid, 4);
	a = made("acl", O_RDWR, 0600);
	if (fsetxattr(a, "system.posix_acl_access", acl, sizeof acl, 0) && errno == ENOTSUP)
		test_skip("no access control lists here");
	check(fgetxattr(a, "system.posix_acl_access", got, sizeof got) == sizeof acl);
	check(unlink(test_path("acl")) == 0);
}

static void acl_verify(void)
{
	char now[256];

	check(fgetxattr(a, "system.posix_acl_access", now, sizeof now) == 44 && !memcmp(now, got, 44));
}

/* Two descriptors of one deleted file, one opened anew: they share contents, not offsets. */
static void twice_setup(void)
{
	a = made("twice", O_RDWR, 0600);
	b = open(test_path("twice"), O_RDONLY);
	c = open(test_path("twice"), O_WRONLY | O_APPEND);
	check(write(a, "0123456789", 10) == 10 && read(b, got, 4) == 4);
	check(unlink(test_path("twice")) == 0);
}

static void twice_verify(void)
{
	check(write(c, "abc", 3) == 3 && read(b, got, 20) == 9 && !memcmp(got, "456789abc", 9));
	check(lseek(a, 0, SEEK_CUR) == 10 && write(b, "x", 1) < 0 && errno == EBADF);
	check(access(test_path("twice"), F_OK) < 0);
}

/* A deleted file of which one name is left in a deleted directory, another elsewhere. */
static void links_setup(void)
{
	check(mkdir(test_path("links"), 0755) == 0);
	a = made("links/one", O_RDWR, 0600);
	check(link(test_path("links/one"), test_path("links/two")) == 0 && link(test_path("links/one"), test_path("links/three")) == 0);
	b = open(test_path("links/two"), O_RDONLY);
	c = open(test_path("links/three"), O_RDONLY);
	check(write(a, "linked", 6) == 6);
	check(unlink(test_path("links/one")) == 0 && unlink(test_path("links/two")) == 0 && unlink(test_path("links/three")) == 0);
	check(rmdir(test_path("links")) == 0);
}

static void links_verify(void)
{
	struct stat x, y, z;

	check(fstat(a, &x) == 0 && fstat(b, &y) == 0 && fstat(c, &z) == 0 && x.st_ino == y.st_ino && y.st_ino == z.st_ino && x.st_nlink == 0);
	check(read(b, got, 9) == 6 && !memcmp(got, "linked", 6));
	check(access(test_path("links"), F_OK) < 0);
}

/* A deleted directory in a deleted directory; one is the working directory. */
static void nested_setup(void)
{
	check(mkdir(test_path("nested"), 0711) == 0 && mkdir(test_path("nested/in"), 0701) == 0 && mkdir(test_path("nested/in/most"), 0700) == 0);
	a = open(test_path("nested"), O_RDONLY | O_DIRECTORY);
	b = open(test_path("nested/in"), O_RDONLY | O_DIRECTORY);
	check(a >= 0 && b >= 0 && chdir(test_path("nested/in/most")) == 0);
	check(rmdir(test_path("nested/in/most")) == 0 && rmdir(test_path("nested/in")) == 0 && rmdir(test_path("nested")) == 0);
}

static void nested_verify(void)
{
	struct stat st;

	check(fstat(a, &st) == 0 && st.st_nlink == 0 && (st.st_mode & 07777) == 0711, "%o", st.st_mode);
	check(fstat(b, &st) == 0 && st.st_nlink == 0 && (st.st_mode & 07777) == 0701, "%o", st.st_mode);
	check(stat(".", &st) == 0 && st.st_nlink == 0 && (st.st_mode & 07777) == 0700, "%o", st.st_mode);
	check(open("new", O_CREAT | O_RDWR, 0600) < 0 && errno == ENOENT);
	check(openat(a, "in", O_RDONLY) < 0 && errno == ENOENT);
	check(access(test_path("nested"), F_OK) < 0);
}

/* The working directory of another directory of the same name: removed and made again. */
static void cwd_replaced_setup(void)
{
	check(mkdir(test_path("cwd"), 0755) == 0 && chdir(test_path("cwd")) == 0 && rmdir(test_path("cwd")) == 0);
	check(mkdir(test_path("cwd"), 0700) == 0);
	close(made("cwd/file", O_RDWR, 0600));
}

static void cwd_replaced_verify(void)
{
	struct stat st;

	check(access("file", F_OK) < 0 && access(test_path("cwd/file"), F_OK) == 0);
	check(stat(".", &st) == 0 && st.st_nlink == 0);
}

static void fifo_setup(void)
{
	check(mkfifo(test_path("fifo"), 0640) == 0);
	a = open(test_path("fifo"), O_RDWR | O_NONBLOCK);
	b = open(test_path("fifo"), O_RDONLY | O_NONBLOCK);
	check(a >= 0 && b >= 0 && write(a, "waits", 5) == 5 && unlink(test_path("fifo")) == 0);
}

static void fifo_verify(void)
{
	struct stat x, y;

	check(read(b, got, 9) == 5 && !memcmp(got, "waits", 5) && write(a, "new", 3) == 3 && read(b, got, 9) == 3);
	check(fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_nlink == 0 && x.st_mode == (S_IFIFO | 0640), "%o", x.st_mode);
	check(access(test_path("fifo"), F_OK) < 0);
}

static void device_setup(void)
{
	if (mknod(test_path("device"), S_IFCHR | 0600, makedev(1, 5)) < 0)
		test_skip("device nodes cannot be made");
	a = open(test_path("device"), O_RDWR);
	if (a < 0)
		test_skip("device nodes cannot be opened here");
	check(unlink(test_path("device")) == 0);
}

static void device_verify(void)
{
	struct stat st;

	got[0] = 1;
	check(read(a, got, 1) == 1 && got[0] == 0 && fstat(a, &st) == 0 && st.st_rdev == makedev(1, 5));
}

static void device_named_setup(void)
{
	if (mknod(test_path("device"), S_IFCHR | 0600, makedev(1, 5)) < 0)
		test_skip("device nodes cannot be made");
	a = open(test_path("device"), O_RDWR);
	if (a < 0)
		test_skip("device nodes cannot be opened here");
}

static void symlink_setup(void)
{
	check(symlink("to nowhere", test_path("symlink")) == 0);
	a = open(test_path("symlink"), O_PATH | O_NOFOLLOW);
	check(a >= 0 && unlink(test_path("symlink")) == 0);
}

static void symlink_verify(void)
{
	struct stat st;

	check(fstat(a, &st) == 0 && S_ISLNK(st.st_mode) && st.st_nlink == 0);
	check(readlinkat(a, "", got, sizeof got) == 10 && !memcmp(got, "to nowhere", 10));
	check(fcntl(a, F_GETFL) & O_PATH);
}

/* O_PATH of a deleted file and directory. */
static void path_setup(void)
{
	close(made("path", O_RDWR, 0600));
	a = open(test_path("path"), O_PATH);
	check(mkdir(test_path("pathdir"), 0700) == 0);
	b = open(test_path("pathdir"), O_PATH | O_DIRECTORY);
	check(a >= 0 && b >= 0 && unlink(test_path("path")) == 0 && rmdir(test_path("pathdir")) == 0);
}

static void path_verify(void)
{
	struct stat st;

	check(fcntl(a, F_GETFL) & O_PATH && fstat(a, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0);
	check(fcntl(b, F_GETFL) & O_PATH && fstat(b, &st) == 0 && S_ISDIR(st.st_mode) && st.st_nlink == 0);
}

/* O_PATH of a socket's file, and of a FIFO, with names. */
static void path_odd_setup(void)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };

	snprintf(u.sun_path, sizeof u.sun_path, "%.100s", test_path("s"));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	check(bind(c, (void *)&u, sizeof u) == 0 && mkfifo(test_path("f"), 0600) == 0);
	a = open(test_path("s"), O_PATH);
	b = open(test_path("f"), O_PATH);
	check(a >= 0 && b >= 0);
}

static void path_odd_verify(void)
{
	struct stat st, now;

	check(fcntl(a, F_GETFL) & O_PATH && fstat(a, &st) == 0 && S_ISSOCK(st.st_mode));
	check(stat(test_path("s"), &now) == 0 && S_ISSOCK(now.st_mode));
	check(fcntl(b, F_GETFL) & O_PATH && fstat(b, &st) == 0 && S_ISFIFO(st.st_mode));
}

/* A whole file of holes, larger than any limit. */
static void hole_setup(void)
{
	a = made("hole", O_RDWR, 0600);
	check(ftruncate(a, 1L << 33) == 0 && pwrite(a, "x", 1, 1L << 32) == 1 && unlink(test_path("hole")) == 0);
}

static void hole_verify(void)
{
	struct stat st;

	check(fstat(a, &st) == 0 && st.st_size == 1L << 33 && st.st_blocks < 64, "%ld blocks", (long)st.st_blocks);
	check(pread(a, got, 2, 1L << 32) == 2 && got[0] == 'x' && got[1] == 0);
}

/* A file renamed, its directory renamed, and one put in its old place. */
static void renamed_setup(void)
{
	check(mkdir(test_path("old"), 0700) == 0);
	a = made("old/file", O_RDWR, 0600);
	check(write(a, "first", 5) == 5 && rename(test_path("old"), test_path("new")) == 0 && mkdir(test_path("old"), 0700) == 0);
	b = made("old/file", O_RDWR, 0600);
	check(write(b, "second", 6) == 6);
}

static void renamed_verify(void)
{
	struct stat x, y;

	check(fstat(a, &x) == 0 && stat(test_path("new/file"), &y) == 0 && x.st_ino == y.st_ino);
	check(fstat(b, &x) == 0 && stat(test_path("old/file"), &y) == 0 && x.st_ino == y.st_ino);
	check(pread(a, got, 9, 0) == 5 && pread(b, got, 9, 0) == 6);
}

/* Names that look deleted, and with odd characters. */
static void odd_names_setup(void)
{
	a = made("looks (deleted)", O_RDWR, 0600);
	b = made("new\nline \\ \xff tab\t", O_RDWR, 0600);
	c = made("looks really (deleted)", O_RDWR, 0600);
	check(write(a, "a", 1) == 1 && write(b, "bb", 2) == 2 && write(c, "ccc", 3) == 3 && unlink(test_path("looks really (deleted)")) == 0);
}

static void odd_names_verify(void)
{
	check(pread(a, got, 9, 0) == 1 && pread(b, got, 9, 0) == 2 && pread(c, got, 9, 0) == 3);
	check(access(test_path("looks (deleted)"), F_OK) == 0 && access(test_path("looks really (deleted)"), F_OK) < 0);
}

/* An immutable or append-only inode flag would be lost. */
static void mapped_setup(void)
{
	char *p;

	a = made("mapped", O_RDWR, 0600);
	check(ftruncate(a, 3 * PAGE) == 0);
	p = test_mmap((void *)0x10000000, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, a, 0);
	test_pattern(p, 2 * PAGE, 1);
	p = test_mmap((void *)0x10100000, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, a, 0);
	test_pattern(p + PAGE, PAGE, 2);
	check(unlink(test_path("mapped")) == 0);
	close(a);
}

static void mapped_verify(void)
{
	char *shared = (void *)0x10000000, *private = (void *)0x10100000;

	check(test_pattern_ok(shared, 2 * PAGE, 1) && test_pattern_ok(private, PAGE, 1) == test_pattern_ok(shared, PAGE, 1));
	check(test_pattern_ok(private + PAGE, PAGE, 2));
	shared[2 * PAGE] = 'x';
	check(private[2 * PAGE] == 'x', "no longer the same file");
}

int main(int argc, char **argv)
{
	static const struct test_kind kinds[] = {
		{ "attributes", attributes_setup, attributes_verify },
		{ "acl", acl_setup, acl_verify },
		{ "twice", twice_setup, twice_verify },
		{ "links", links_setup, links_verify },
		{ "nested", nested_setup, nested_verify },
		{ "cwd_replaced", cwd_replaced_setup, cwd_replaced_verify },
		{ "fifo", fifo_setup, fifo_verify },
		{ "device", device_setup, device_verify },
		{ "device_named", device_named_setup, device_verify },
		{ "symlink", symlink_setup, symlink_verify },
		{ "path", path_setup, path_verify },
		{ "path_odd", path_odd_setup, path_odd_verify },
		{ "hole", hole_setup, hole_verify },
		{ "renamed", renamed_setup, renamed_verify },
		{ "odd_names", odd_names_setup, odd_names_verify },
		{ "mapped", mapped_setup, mapped_verify },
	};

	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof *kinds, NULL);
}
