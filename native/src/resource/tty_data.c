/* SPDX-License-Identifier: MIT */
#include "resource/tty_data.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#include "common/util.h"

#define TRIES 1000
#define NAP_NS 1000000

struct tty_termios tty_transparent(const struct tty_termios *settings)
{
	struct tty_termios t = *settings;

	t.iflag = 0;
	t.oflag = 0;
	t.lflag &= ICANON;
	memset(t.cc, 0, sizeof(t.cc));
	t.cc[VMIN] = 1;
	return t;
}

size_t tty_waiting(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int n = 0;

	/* The kernel moves bytes on by a worker; poll(2) waits for it when nothing can be read yet. */
	poll(&p, 1, 0);
	return ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? n : 0;
}

size_t tty_take(int fd, void *data, size_t size)
{
	size_t have = 0, waiting;

	while (have < size && (waiting = tty_waiting(fd)) > 0) {
		ssize_t n = read(fd, (char *)data + have, waiting < size - have ? waiting : size - have);

		if (n <= 0)
			break;
		have += n;
	}
	return have;
}

int tty_put_input(int master, int slave, const void *data, size_t size)
{
	struct timespec nap = { 0, NAP_NS };
	struct tty_termios t;
	size_t visible = size;

	if (write_all(master, data, size) < 0 || ioctl(slave, TTY_TCGETS, &t) < 0)
		return -1;
	while (t.lflag & ICANON && visible && ((const char *)data)[visible - 1] != '\n')
		visible--;
	for (int i = 0; tty_waiting(slave) < visible && i < TRIES; i++)
		nanosleep(&nap, NULL);
	/* A line that has not ended behind others that have cannot be seen arriving. */
	if (visible && visible < size)
		nanosleep(&nap, NULL);
	return 0;
}
