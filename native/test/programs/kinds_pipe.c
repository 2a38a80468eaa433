/* SPDX-License-Identifier: MIT
 *
 * Pipes in packet mode (pipe2(2), O_DIRECT): each read gives one packet, and drops what of it does not fit.
 */
#include "test.h"

static int in, out, count;
static char got[PAGE];

static void put(const char *text)
{
	check(write(out, text, strlen(text)) == (ssize_t)strlen(text));
}

static void expect(const char *text, size_t room)
{
	ssize_t n = read(in, got, room);

	check(n == (ssize_t)strlen(text) && !memcmp(got, text, n), "%zd bytes \"%.*s\", not \"%s\"", n, (int)(n > 0 ? n : 0), got, text);
}

static void open_pipe(int flags)
{
	int p[2];

	check(pipe2(p, O_NONBLOCK | flags) == 0);
	in = p[0];
	out = p[1];
}

static void packets_setup(void)
{
	open_pipe(O_DIRECT);
	put("one");
	put("twotwo");
	put("3");
}

static void packets_verify(void)
{
	check(fcntl(out, F_GETFL) & O_DIRECT);
	expect("one", sizeof got);
	expect("tw", 2);
	expect("3", sizeof got);
	check(read(in, got, 1) < 0 && errno == EAGAIN);
	put("x");
	put("yy");
	expect("x", sizeof got);
	expect("yy", sizeof got);
}

/* As many as go in, of one byte each. */
static void full_setup(void)
{
	open_pipe(O_DIRECT);
	while (write(out, "p", 1) == 1)
		count++;
}

static void full_verify(void)
{
	while (count--)
		expect("p", sizeof got);
	check(read(in, got, 1) < 0 && errno == EAGAIN);
}

static void then_plain_setup(void)
{
	open_pipe(O_DIRECT);
	put("first");
	put("second");
	check(fcntl(out, F_SETFL, O_NONBLOCK) == 0);
	put("plain");
	put("text");
}

static void then_plain_verify(void)
{
	check(!(fcntl(out, F_GETFL) & O_DIRECT));
	expect("fir", 3);
	expect("second", sizeof got);
	expect("pla", 3);
	expect("intext", sizeof got);
}

static void fifo_setup(void)
{
	check(mkfifo(test_path("fifo"), 0600) == 0);
	in = open(test_path("fifo"), O_RDONLY | O_NONBLOCK);
	out = open(test_path("fifo"), O_WRONLY | O_NONBLOCK);
	check(fcntl(out, F_SETFL, O_NONBLOCK | O_DIRECT) == 0);
	put("one");
	put("two");
}

static void fifo_verify(void)
{
	expect("one", sizeof got);
	expect("two", sizeof got);
	put("a");
	put("b");
	expect("a", sizeof got);
}

static const struct test_kind kinds[] = {
	{ "packets", packets_setup, packets_verify },
	{ "full", full_setup, full_verify },
	{ "then_plain", then_plain_setup, then_plain_verify },
	{ "fifo", fifo_setup, fifo_verify },
};

int main(int argc, char **argv)
{
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof kinds[0], NULL);
}
