/* SPDX-License-Identifier: MIT
 *
 * Pipes within one process: with data in them, empty, full, enlarged, with one end closed, nonblocking,
 * and with an end opened a second time. With argument "packet": in packet mode.
 */
#include "test.h"

#include <sys/ioctl.h>

#define BIG (1 << 20)

static void expect(int fd, const void *data, ssize_t n, const char *what)
{
	char *got = malloc(n + 1);
	ssize_t done = 0, r;

	while (done < n) {
		r = read(fd, got + done, n - done);
		check(r > 0, "%s: %zd after %zd of %zd bytes", what, r, done, n);
		done += r;
	}
	check(!memcmp(got, data, n), "%s", what);
	free(got);
}

static int queued(int fd)
{
	int n = -1;

	check(ioctl(fd, FIONREAD, &n) == 0);
	return n;
}

static void packets(void)
{
	char block[3000], got[PAGE];
	int packet[2];

	test_pattern(block, sizeof block, 5);
	check(!pipe2(packet, O_DIRECT));
	check(write(packet[1], "one", 3) == 3 && write(packet[1], "two!", 4) == 4 && write(packet[1], block, 3000) == 3000);
	test_ready();
	test_wait();
	check(read(packet[0], got, sizeof got) == 3 && !memcmp(got, "one", 3), "packets ran together");
	check(read(packet[0], got, sizeof got) == 4 && !memcmp(got, "two!", 4));
	check(read(packet[0], got, sizeof got) == 3000 && !memcmp(got, block, 3000));
	test_pass();
}

int main(int argc, char **argv)
{
	int data[2], empty[2], full[2], big[2], no_reader[2], no_writer[2], reopened[2], again, sizes, n, pages;
	char *block = malloc(BIG), got[PAGE], path[32];
	ssize_t filled = 0;
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	test_init(argc, argv);
	if (argc > 2)
		packets();
	sigaction(SIGPIPE, &ignore, NULL);
	test_pattern(block, BIG, 1);
	check(!pipe(data) && !pipe2(empty, O_NONBLOCK | O_CLOEXEC) && !pipe2(full, O_NONBLOCK) && !pipe(big));
	check(!pipe(no_reader) && !pipe(no_writer) && !pipe(reopened));
	check(write(data[1], "left in the pipe", 16) == 16);
	/* many small writes: each takes a slot of its own in the kernel, and partly read ones stay */
	for (n = 0; n < 9; n++)
		check(write(data[1], block + n * 700, 700) == 700);
	expect(data[0], "left ", 5, "before");
	while ((n = write(full[1], block + filled, 4000)) > 0)
		filled += n;
	check(errno == EAGAIN && filled > 50000);
	sizes = fcntl(big[1], F_SETPIPE_SZ, BIG);
	check(sizes >= BIG && write(big[1], block, BIG) == BIG);
	close(no_reader[0]);
	check(write(no_writer[1], "last words", 10) == 10);
	close(no_writer[1]);
	snprintf(path, sizeof path, "/proc/self/fd/%d", reopened[0]);
	again = open(path, O_RDONLY | O_NONBLOCK);
	check(again >= 0 && write(reopened[1], "abcdef", 6) == 6);
	pages = fcntl(data[0], F_GETPIPE_SZ);
	test_ready();
	test_wait();

	check(queued(data[0]) == 11 + 9 * 700, "%d bytes queued", queued(data[0]));
	expect(data[0], "in the pipe", 11, "data");
	expect(data[0], block, 9 * 700, "small writes");
	check(fcntl(data[0], F_GETPIPE_SZ) == pages, "pipe of %d bytes, was %d", fcntl(data[0], F_GETPIPE_SZ), pages);
	check(queued(empty[0]) == 0 && read(empty[0], got, 1) < 0 && errno == EAGAIN);
	check((fcntl(empty[0], F_GETFL) & O_NONBLOCK) && fcntl(empty[1], F_GETFD) == FD_CLOEXEC);
	check(write(empty[1], "x", 1) == 1 && read(empty[0], got, 2) == 1 && got[0] == 'x');
	check(queued(full[0]) == filled, "%d bytes queued, were %zd", queued(full[0]), filled);
	expect(full[0], block, filled, "full");
	check(queued(full[0]) == 0);
	check(fcntl(big[0], F_GETPIPE_SZ) == sizes, "pipe of %d bytes, was %d", fcntl(big[0], F_GETPIPE_SZ), sizes);
	check(queued(big[0]) == BIG);
	expect(big[0], block, BIG, "big");
	check(write(big[1], block, BIG) == BIG); /* hangs when the size was lost */
	check(write(no_reader[1], "x", 1) < 0 && errno == EPIPE);
	expect(no_writer[0], "last words", 10, "no writer");
	check(read(no_writer[0], got, 1) == 0, "no end of file");
	check(!(fcntl(reopened[0], F_GETFL) & O_NONBLOCK) && (fcntl(again, F_GETFL) & O_NONBLOCK));
	check(read(again, got, 3) == 3 && !memcmp(got, "abc", 3));
	check(read(reopened[0], got, 3) == 3 && !memcmp(got, "def", 3));
	check(read(again, got, 1) < 0 && errno == EAGAIN);
	test_pass();
}
