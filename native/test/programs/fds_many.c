/* SPDX-License-Identifier: MIT
 *
 * A thousand descriptors of two hundred files, with holes between their numbers and the highest at 15000.
 */
#include "test.h"

#define COUNT 1000
#define FILES 200
#define NUMBER(i) ((i) == COUNT - 1 ? 15000 : 20 + (i) * 3)

int main(int argc, char **argv)
{
	char name[32];
	struct stat st;
	static ino_t ino[FILES];
	int i, fd;

	test_init(argc, argv);
	for (i = 0; i < COUNT; i++) {
		snprintf(name, sizeof name, "file %d", i % FILES);
		fd = open(test_path(name), O_CREAT | O_RDWR, 0644);
		check(fd >= 0);
		check(dup3(fd, NUMBER(i), i % 2 ? O_CLOEXEC : 0) == NUMBER(i), "descriptor %d", NUMBER(i));
		close(fd);
		check(lseek(NUMBER(i), i, SEEK_SET) == i);
		check(fstat(NUMBER(i), &st) == 0);
		ino[i % FILES] = st.st_ino;
	}
	test_ready();
	test_wait();
	for (i = 0; i < COUNT; i++) {
		fd = NUMBER(i);
		check(fstat(fd, &st) == 0 && st.st_ino == ino[i % FILES], "descriptor %d", fd);
		check(lseek(fd, 0, SEEK_CUR) == i, "descriptor %d at %ld", fd, lseek(fd, 0, SEEK_CUR));
		check(fcntl(fd, F_GETFD) == i % 2, "descriptor %d", fd);
		check(fcntl(fd + 1, F_GETFD) < 0, "descriptor %d was closed", fd + 1);
	}
	test_pass();
}
