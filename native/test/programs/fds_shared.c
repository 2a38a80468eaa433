/* SPDX-License-Identifier: MIT
 *
 * Open file descriptions with several descriptors: duplicates in one process and in its children share offset and
 * flags, a second open() of the same file does not; close-on-exec belongs to the descriptor.
 */
#include "test.h"

int main(int argc, char **argv)
{
	int fd, copy, high, separate, child_only_parent_closed;
	pid_t child, grandchild;
	char page[1000];

	test_init(argc, argv);
	fd = open(test_path("file"), O_CREAT | O_RDWR, 0644);
	check(fd >= 0 && ftruncate(fd, 100000) == 0);
	copy = dup(fd);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 777);
	separate = open(test_path("file"), O_RDWR);
	child_only_parent_closed = open(test_path("child only"), O_CREAT | O_RDWR, 0644);
	check(copy >= 0 && high == 777 && separate >= 0 && child_only_parent_closed >= 0);
	check(lseek(fd, 1000, SEEK_SET) == 1000 && lseek(separate, 20, SEEK_SET) == 20);
	child = test_fork();
	if (!child) {
		grandchild = test_fork();
		if (!grandchild) {
			check(close(fd) == 0 && close(copy) == 0 && dup2(high, 5000) == 5000);
			test_mark("grandchild");
			test_await("turn 2");
			check(lseek(5000, 0, SEEK_CUR) == 4000, "at %ld", lseek(5000, 0, SEEK_CUR));
			check(fcntl(5000, F_GETFL) & O_NONBLOCK, "status flags are not shared any more");
			check(!(fcntl(5000, F_GETFD) & FD_CLOEXEC) && (fcntl(high, F_GETFD) & FD_CLOEXEC));
			check(write(child_only_parent_closed, "from the grandchild", 19) == 19);
			_exit(0);
		}
		test_await("grandchild");
		test_mark("child");
		test_await("turn 1");
		check(lseek(copy, 0, SEEK_CUR) == 3000, "at %ld", lseek(copy, 0, SEEK_CUR));
		check(read(fd, page, 1000) == 1000);
		check(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
		test_mark("turn 2");
		test_join(grandchild);
		check(lseek(child_only_parent_closed, 0, SEEK_CUR) == 19);
		_exit(0);
	}
	test_await("child");
	close(child_only_parent_closed);
	test_ready();
	test_wait();
	check(read(fd, page, 1000) == 1000);
	check(lseek(copy, 0, SEEK_CUR) == 2000, "dup() shares no offset any more");
	check(lseek(high, 1000, SEEK_CUR) == 3000, "F_DUPFD shares no offset any more");
	check(lseek(separate, 0, SEEK_CUR) == 20, "a separate open() shares the offset: %ld", lseek(separate, 0, SEEK_CUR));
	test_mark("turn 1");
	test_join(child);
	check(lseek(fd, 0, SEEK_CUR) == 4000 && lseek(separate, 0, SEEK_CUR) == 20);
	check((fcntl(high, F_GETFL) & O_NONBLOCK) && !(fcntl(separate, F_GETFL) & O_NONBLOCK));
	check(fcntl(high, F_GETFD) == FD_CLOEXEC && fcntl(copy, F_GETFD) == 0);
	test_pass();
}
