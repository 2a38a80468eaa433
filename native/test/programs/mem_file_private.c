/* SPDX-License-Identifier: MIT
 *
 * Private mappings of files: pages changed and not, at an offset, read only, after the end of the file, and of a
 * file that was opened read only and closed.
 */
#include "test.h"

#define SIZE (32 * PAGE)

int main(int argc, char **argv)
{
	static char content[SIZE];
	char *p, *ro, *off, *tail;
	int fd, i;
	struct stat st;

	test_init(argc, argv);
	test_pattern(content, SIZE, 1);
	fd = open(test_path("mapped"), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	check(fd >= 0 && write(fd, content, SIZE) == SIZE);
	close(fd);
	fd = open(test_path("short"), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	check(fd >= 0 && write(fd, content, PAGE + 100) == PAGE + 100);
	close(fd);
	fd = open(test_path("mapped"), O_RDONLY | O_CLOEXEC);
	check(fd >= 0);
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ro = test_mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	off = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd, 20 * PAGE);
	close(fd);
	fd = open(test_path("short"), O_RDWR | O_CLOEXEC);
	tail = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	for (i = 0; i < 32; i += 3)
		p[i * PAGE + 17] ^= 0x5a;
	off[2 * PAGE] ^= 0x77;
	tail[PAGE + 2000] = 55; /* after the end of the file, in its last page */
	check(mprotect(ro + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
	ro[4 * PAGE] ^= 0x11;
	check(mprotect(ro + 4 * PAGE, PAGE, PROT_READ) == 0); /* changed, and now read only like its neighbours */
	test_ready();
	test_wait();
	for (i = 0; i < 32; i++) {
		if (i % 3 == 0)
			p[i * PAGE + 17] ^= 0x5a;
		check(!memcmp(p + i * PAGE, content + i * PAGE, PAGE), "page %d", i);
	}
	off[2 * PAGE] ^= 0x77;
	check(!memcmp(off, content + 20 * PAGE, 4 * PAGE));
	check(tail[PAGE + 2000] == 55 && !memcmp(tail, content, PAGE + 100));
	check(!memcmp(ro, content, 4 * PAGE) && !memcmp(ro + 5 * PAGE, content + 5 * PAGE, SIZE - 5 * PAGE));
	check(ro[4 * PAGE] == (content[4 * PAGE] ^ 0x11));
	/* nothing of it reached the files */
	fd = open(test_path("mapped"), O_RDWR | O_CLOEXEC);
	for (i = 0; i < 32; i++) {
		char page[PAGE];

		check(pread(fd, page, PAGE, i * PAGE) == PAGE && !memcmp(page, content + i * PAGE, PAGE),
		      "page %d of the file", i);
	}
	check(stat(test_path("short"), &st) == 0 && st.st_size == PAGE + 100);
	/* a page not yet changed is still the file's */
	check(pwrite(fd, "new", 3, 31 * PAGE) == 3);
	check(!memcmp(ro + 31 * PAGE, "new", 3), "an unchanged page of a private mapping is not the file's any more");
	test_pass();
}
