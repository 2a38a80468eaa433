/* SPDX-License-Identifier: MIT
 *
 * Pseudo-terminals, by argument: "pair": settings, size, what waits in both directions; "raw": without lines; "session": a child
 * session with its controlling terminal, foreground group, /dev/tty, and signals that are typed, "session alone": nothing but /dev/tty
 * shows the terminal; "hangup": a slave whose master is gone.
 */
#include "test.h"

#include <sys/ioctl.h>
#include <termios.h>

static void open_pair(int *master, int *slave)
{
	unsigned int index;
	int unlocked = 0;
	char path[32];

	*master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	check(*master >= 0 && ioctl(*master, TIOCSPTLCK, &unlocked) == 0 && ioctl(*master, TIOCGPTN, &index) == 0);
	snprintf(path, sizeof path, "/dev/pts/%u", index);
	*slave = open(path, O_RDWR | O_NOCTTY);
	check(*slave >= 0);
}

static void expect(int fd, const char *text, const char *what)
{
	char got[256] = "";
	size_t n = 0;

	while (n < strlen(text)) {
		ssize_t r = read(fd, got + n, sizeof got - 1 - n);

		check(r > 0, "%s: after \"%s\"", what, got);
		n += r;
	}
	check(!strcmp(got, text), "%s: \"%s\" instead of \"%s\"", what, got, text);
}

/* Without waiting. */
static void expect_none(int fd, const char *what)
{
	char c;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	check(read(fd, &c, 1) < 0 && errno == EAGAIN, "%s: there is more", what);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

static void wait_input(int fd, int bytes)
{
	int n = 0;

	while (ioctl(fd, FIONREAD, &n) == 0 && n < bytes)
		sched_yield();
}

static void pair(int raw)
{
	struct winsize size = { 33, 44, 55, 66 }, now_size;
	struct termios t, now;
	int master, slave, again, packet = 1, value = 0;

	open_pair(&master, &slave);
	again = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
	check(tcgetattr(slave, &t) == 0);
	if (raw) {
		cfmakeraw(&t);
		t.c_cc[VMIN] = 3;
		t.c_cc[VTIME] = 7;
		check(ioctl(master, TIOCPKT, &packet) == 0);
	}
	t.c_cc[VINTR] = 'Q' - '@';
	t.c_iflag |= IXANY;
	check(tcsetattr(slave, TCSANOW, &t) == 0 && ioctl(slave, TIOCSWINSZ, &size) == 0);
	check(tcgetattr(slave, &t) == 0);
	check(write(slave, "out\n", 4) == 4);
	if (raw)
		check(write(master, "a\r\x03" "b", 4) == 4);
	else
		check(write(master, "line\npart", 9) == 9);
	wait_input(slave, raw ? 4 : 5);
	test_ready();
	test_wait();
	check(tcgetattr(slave, &now) == 0 && !memcmp(&now, &t, sizeof t), "other settings");
	check(ioctl(slave, TIOCGWINSZ, &now_size) == 0 && !memcmp(&now_size, &size, sizeof size), "other size");
	check(fcntl(again, F_GETFL) & O_NONBLOCK && !(fcntl(slave, F_GETFL) & O_NONBLOCK), "other flags");
	if (raw) {
		check(ioctl(master, TIOCGPKT, &value) == 0 && value == 1, "packet mode was lost");
		packet = 0;
		check(ioctl(master, TIOCPKT, &packet) == 0);
		expect(slave, "a\r\x03" "b", "input");
		expect(master, "out\n", "output");
	} else {
		/* with the echo */
		expect(master, "out\r\nline\r\npart", "output");
		expect(slave, "line\n", "input");
		expect_none(slave, "input");
		check(write(master, "s\n", 2) == 2);
		expect(slave, "parts\n", "unfinished line");
		expect(master, "s\r\n", "echo");
	}
	expect_none(master, "output");
}

static volatile sig_atomic_t interrupted, stopped;

static void on_int(int sig)
{
	if (sig == SIGINT)
		interrupted++;
	else
		stopped++;
}

/* Leads a session on the terminal; its child leads the foreground group. */
static void session(int keep)
{
	int master, slave, status;
	pid_t leader;
	char c;

	open_pair(&master, &slave);
	leader = test_fork();
	if (!leader) {
		pid_t group;
		int tty;

		close(master);
		check(setsid() == getpid() && ioctl(slave, TIOCSCTTY, 0) == 0);
		tty = open("/dev/tty", O_RDWR);
		check(tty >= 0);
		if (!keep)
			close(slave);
		group = test_fork();
		if (!group) {
			struct sigaction sa = { .sa_handler = on_int };

			setpgid(0, 0);
			sigaction(SIGINT, &sa, NULL);
			test_mark("group");
			while (!interrupted)
				usleep(1000);
			check(tcgetpgrp(tty) == getpgrp(), "in front is %d", tcgetpgrp(tty));
			check(write(tty, "int", 3) == 3);
			_exit(7);
		}
		setpgid(group, group);
		signal(SIGTTOU, SIG_IGN);
		check(tcsetpgrp(tty, group) == 0);
		test_await("group");
		test_mark("leader");
		test_await("go");
		check(tcgetpgrp(tty) == group && tcgetsid(tty) == getpid());
		check(waitpid(group, &status, 0) == group && WEXITSTATUS(status) == 7);
		check(tcsetpgrp(tty, getpgrp()) == 0);
		/* the end of the session hangs up */
		_exit(8);
	}
	close(slave);
	test_await("leader");
	test_ready();
	test_wait();
	check(write(master, "\x03", 1) == 1);
	expect(master, "^Cint", "answer");
	check(waitpid(leader, &status, 0) == leader && WEXITSTATUS(status) == 8, "status %x", status);
	check(read(master, &c, 1) < 0 && errno == EIO);
}

static void hangup(void)
{
	int master, slave;
	char c;

	open_pair(&master, &slave);
	close(master);
	test_ready();
	test_wait();
	check(read(slave, &c, 1) == 0, "no end of file");
	check(write(slave, "x", 1) < 0 && errno == EIO, "can be written to");
}

int main(int argc, char **argv)
{
	test_init(argc, argv);
	check(argc == 3);
	if (!strcmp(argv[2], "pair"))
		pair(0);
	else if (!strcmp(argv[2], "raw"))
		pair(1);
	else if (!strcmp(argv[2], "session"))
		session(1);
	else if (!strcmp(argv[2], "session alone"))
		session(0);
	else if (!strcmp(argv[2], "hangup"))
		hangup();
	test_pass();
}
