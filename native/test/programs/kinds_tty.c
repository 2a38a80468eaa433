/* SPDX-License-Identifier: MIT
 *
 * Terminals in rare states: one kind by argument. DIR/where names the descriptor.
 */
#include "test.h"

#include <asm/termbits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

extern int grantpt(int), unlockpt(int);

static int a, b, c;
static char got[PAGE];

static const char *where(unsigned long *value)
{
	*value = c > 0 ? c : a;
	return "fd";
}

static int get(int fd, unsigned long request)
{
	int value = -1;

	check(ioctl(fd, request, &value) == 0, "%lx", request);
	return value;
}

static void put(int fd, unsigned long request, int value)
{
	check(ioctl(fd, request, &value) == 0, "%lx", request);
}

static void pair(void)
{
	char path[32];

	a = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	check(a >= 0 && unlockpt(a) == 0);
	snprintf(path, sizeof path, "/dev/pts/%d", get(a, TIOCGPTN));
	b = open(path, O_RDWR | O_NOCTTY);
	check(b >= 0);
}

static void talk(void)
{
	check(write(a, "line\n", 5) == 5 && read(b, got, 9) == 5 && !memcmp(got, "line\n", 5));
}

/* O_PATH of a slave, and of the master's node. */
static void path_setup(void)
{
	char path[32];

	pair();
	snprintf(path, sizeof path, "/dev/pts/%d", get(a, TIOCGPTN));
	c = open(path, O_PATH);
	check(c >= 0);
}

static void path_verify(void)
{
	struct stat x, y;

	check(fcntl(c, F_GETFL) & O_PATH && fstat(c, &x) == 0 && fstat(b, &y) == 0 && x.st_rdev == y.st_rdev && x.st_ino == y.st_ino);
	talk();
}

/* O_PATH of a slave that is open nowhere else. */
static void path_alone_setup(void)
{
	path_setup();
	close(b);
}

static void path_alone_verify(void)
{
	struct stat x;

	check(fcntl(c, F_GETFL) & O_PATH && fstat(c, &x) == 0 && S_ISCHR(x.st_mode));
}

static void path_dead_setup(void)
{
	path_setup();
	close(a);
	close(b);
}

static void path_dead_verify(void)
{
	struct stat x;

	check(fcntl(c, F_GETFL) & O_PATH && fstat(c, &x) == 0 && S_ISCHR(x.st_mode));
}

static void modes_setup(void)
{
	struct winsize w = { 11, 22, 33, 44 };
	struct termios2 t;

	pair();
	put(a, TIOCPKT, 1);
	check(ioctl(b, TCGETS2, &t) == 0);
	t.c_cflag = (t.c_cflag & ~CBAUD) | BOTHER;
	t.c_ospeed = 12345;
	t.c_cflag = (t.c_cflag & ~(CBAUD << IBSHIFT)) | BOTHER << IBSHIFT;
	t.c_ispeed = 54321;
	check(ioctl(b, TCSETS2, &t) == 0 && ioctl(a, TIOCSWINSZ, &w) == 0);
	t.c_ospeed = 0;
	check(ioctl(b, TCGETS2, &t) == 0 && t.c_ospeed == 12345);
	check(ioctl(b, TIOCEXCL) == 0);
	/* take the packet that tells of the change, if any */
	fcntl(a, F_SETFL, O_RDWR | O_NONBLOCK);
	read(a, got, sizeof got);
	fcntl(a, F_SETFL, O_RDWR);
}

static void modes_verify(void)
{
	struct termios2 t;

	check(get(a, TIOCGPKT) == 1, "no packet mode");
	check(get(b, TIOCGEXCL) == 1, "not exclusive");
	check(ioctl(b, TCGETS2, &t) == 0 && t.c_ospeed == 12345 && t.c_ispeed == 54321, "speeds %u %u, flags %o", t.c_ospeed, t.c_ispeed, t.c_cflag);
	talk();
}

/* What goes through ioctl only: a locked slave, a master that nobody has ever opened a slave of. */
static void locked_setup(void)
{
	a = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	check(a >= 0);
}

static void locked_verify(void)
{
	char path[32];

	check(get(a, TIOCGPTLCK) == 1, "not locked");
	snprintf(path, sizeof path, "/dev/pts/%d", get(a, TIOCGPTN));
	check(open(path, O_RDWR | O_NOCTTY) < 0 && errno == EIO);
}

/* A slave opened through the master, by TIOCGPTPEER. */
static void peer_setup(void)
{
	pair();
	c = ioctl(a, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
	check(c >= 0);
}

static void peer_verify(void)
{
	check(fcntl(c, F_GETFL) & O_NONBLOCK && write(a, "x\n", 2) == 2 && read(c, got, 9) == 2);
}

/* A slave whose master is closed, with nothing else. */
static void hung_setup(void)
{
	pair();
	close(a);
	c = b;
}

static void hung_verify(void)
{
	check(read(b, got, 1) == 0 && write(b, "x", 1) < 0 && errno == EIO);
}

/* Lines that echo and wait in the master, an unfinished line in the slave. */
static void waiting_setup(void)
{
	pair();
	check(write(a, "one\ntw", 6) == 6 && write(b, "out\n", 4) == 4);
}

static void waiting_verify(void)
{
	check(read(b, got, 99) == 4 && !memcmp(got, "one\n", 4));
	check(write(a, "o\n", 2) == 2 && read(b, got, 99) == 4 && !memcmp(got, "two\n", 4));
	poll(&(struct pollfd){ .fd = a, .events = POLLIN }, 1, 100);
	check(read(a, got, 99) > 4 && memmem(got, 99, "out\r\n", 5));
}

/* The terminal as /dev/tty, in a session of its own, and O_PATH of it. */
static pid_t child;

static void ctty_setup(void)
{
	pair();
	child = test_fork();
	if (!child) {
		check(setsid() > 0 && ioctl(b, TIOCSCTTY, 0) == 0);
		c = open("/dev/tty", O_RDWR);
		check(c >= 0);
		close(b);
		close(a);
		test_mark("child");
		test_wait();
		check(write(c, "from tty\n", 9) == 9);
		_exit(0);
	}
	test_await("child");
}

static void ctty_verify(void)
{
	test_join(child);
	check(read(a, got, 99) == 10 && !memcmp(got, "from tty\r\n", 10));
}

static void console(const char *path)
{
	a = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (a < 0)
		test_skip("it cannot be opened here");
}

static void console_setup(void) { console("/dev/console"); }
static void vt_setup(void) { console("/dev/tty1"); }
static void serial_setup(void) { console("/dev/ttyS0"); }

static void console_verify(void)
{
	struct stat st;

	check(fstat(a, &st) == 0 && S_ISCHR(st.st_mode));
}

int main(int argc, char **argv)
{
	static const struct test_kind kinds[] = {
		{ "path", path_setup, path_verify },
		{ "path_alone", path_alone_setup, path_alone_verify },
		{ "path_dead", path_dead_setup, path_dead_verify },
		{ "modes", modes_setup, modes_verify },
		{ "locked", locked_setup, locked_verify },
		{ "peer", peer_setup, peer_verify },
		{ "hung", hung_setup, hung_verify },
		{ "waiting", waiting_setup, waiting_verify },
		{ "ctty", ctty_setup, ctty_verify },
		{ "console", console_setup, console_verify },
		{ "vt", vt_setup, console_verify },
		{ "serial", serial_setup, console_verify },
	};

	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof *kinds, where);
}
