/* SPDX-License-Identifier: MIT
 *
 * Pipes between parent, child and grandchild, in both directions, with data on its way in each; ends closed here and
 * there; end of file when the last writer is gone.
 */
#include "test.h"

static void put(int fd, const char *text)
{
	check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void expect(int fd, const char *text)
{
	char got[256] = "";
	size_t n = strlen(text), done = 0;

	while (done < n) {
		ssize_t r = read(fd, got + done, n - done);

		check(r > 0, "%zd after \"%s\", want \"%s\"", r, got, text);
		done += r;
	}
	check(!strcmp(got, text), "\"%s\", want \"%s\"", got, text);
}

static void expect_end(int fd)
{
	char c;
	ssize_t r = read(fd, &c, 1);

	check(r == 0, "%zd", r);
}

int main(int argc, char **argv)
{
	int down[2], up[2], side[2];
	pid_t child, grandchild;

	test_init(argc, argv);
	check(!pipe(down) && !pipe(up) && !pipe(side));
	child = test_fork();
	if (!child) {
		close(down[1]);
		close(up[0]);
		grandchild = test_fork();
		if (!grandchild) {
			close(down[0]);
			close(side[0]);
			put(up[1], "g1 ");
			close(up[1]);
			test_mark("grandchild");
			test_wait();
			put(side[1], "grandchild to child ");
			_exit(0);
		}
		close(side[1]);
		test_await("grandchild");
		put(up[1], "c1 ");
		test_mark("child");
		/* dumped while it waits in read() */
		expect(down[0], "p1 p2 p3 ");
		expect(side[0], "grandchild to child ");
		expect_end(side[0]);
		test_join(grandchild);
		put(up[1], "c2 ");
		expect_end(down[0]);
		_exit(0);
	}
	close(down[0]);
	close(up[1]);
	close(side[0]);
	close(side[1]);
	test_await("child");
	put(down[1], "p1 ");
	put(down[1], "p2 ");
	test_ready();
	test_wait();
	expect(up[0], "g1 c1 ");
	put(down[1], "p3 ");
	expect(up[0], "c2 ");
	close(down[1]);
	test_join(child);
	expect_end(up[0]);
	test_pass();
}
