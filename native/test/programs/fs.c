/* SPDX-License-Identifier: MIT
 *
 * Umask and working directory, different in parent, child and grandchild.
 */
#include "test.h"

static void hold(const char *mark, const char *dir, mode_t mask)
{
	char before[4096], now[4096], name[64];
	struct stat st;
	int fd;

	check(mkdir(test_path(dir), 0777) == 0 || errno == EEXIST);
	check(chdir(test_path(dir)) == 0);
	umask(mask);
	check(getcwd(before, sizeof before));
	if (!strcmp(mark, "ready"))
		test_ready();
	else
		test_mark(mark);
	test_wait();
	check(getcwd(now, sizeof now) && !strcmp(before, now), "in %s, was in %s", now, before);
	snprintf(name, sizeof name, "made by %s", mark);
	fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0777);
	check(fd >= 0);
	check(fstat(fd, &st) == 0 && (st.st_mode & 0777) == (0777 & ~mask), "mode %o with umask %o", st.st_mode, mask);
	check(access(test_path(dir), F_OK) == 0);
	check(umask(0) == mask);
}

int main(int argc, char **argv)
{
	pid_t child, grandchild;

	test_init(argc, argv);
	child = test_fork();
	if (!child) {
		grandchild = test_fork();
		if (!grandchild) {
			hold("grandchild", "with space and \xc3\xa9", 0);
			_exit(0);
		}
		test_await("grandchild");
		hold("child", "sub", 0077);
		test_join(grandchild);
		_exit(0);
	}
	test_await("child");
	hold("ready", "sub/..", 0123);
	test_join(child);
	test_pass();
}
