/* SPDX-License-Identifier: MIT
 *
 * A process whose root directory is not the machine's, with its working directory inside.
 */
#include "test.h"

int main(int argc, char **argv)
{
	char cwd[4096];
	struct stat before, after;

	test_init(argc, argv);
	check(mkdir(test_path("inner"), 0755) == 0);
	check(chroot(test_path(".")) == 0 && chdir("/inner") == 0);
	test_set_dir("/");
	check(stat("/", &before) == 0);
	test_ready();
	test_wait();
	check(stat("/", &after) == 0);
	check(before.st_ino == after.st_ino && before.st_dev == after.st_dev);
	check(getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/inner"), "%s", cwd);
	check(access("/etc", F_OK) < 0 && access("/go", F_OK) == 0);
	test_pass();
}
