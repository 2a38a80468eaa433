/* SPDX-License-Identifier: MIT
 *
 * One process with one thread and nothing special: pid, parent, data, bss, stack, working directory, executable.
 */
#include "test.h"

static char data[3 * PAGE] = "in .data";
static char bss[5 * PAGE];

int main(int argc, char **argv)
{
	pid_t pid = getpid(), ppid = getppid(), sid = getsid(0), pgrp = getpgrp();
	char local[2 * PAGE], cwd[4096], now[4096], exe[4096] = "", exe_now[4096] = "";

	test_init(argc, argv);
	test_pattern(data, sizeof data, 1);
	test_pattern(bss, sizeof bss, 2);
	test_pattern(local, sizeof local, 3);
	check(getcwd(cwd, sizeof cwd));
	check(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
	test_ready();
	test_wait();
	check(getpid() == pid, "%d, was %d", getpid(), pid);
	check(syscall(SYS_gettid) == pid);
	/* Restored without privilege it lives in a pid namespace that its parent is not in. */
	check(getppid() == ppid || (geteuid() && !getppid()), "%d, was %d", getppid(), ppid);
	check(getsid(0) == sid && getpgrp() == pgrp);
	check(test_pattern_ok(data, sizeof data, 1));
	check(test_pattern_ok(bss, sizeof bss, 2));
	check(test_pattern_ok(local, sizeof local, 3));
	check(getcwd(now, sizeof now) && !strcmp(now, cwd), "%s, was %s", now, cwd);
	check(readlink("/proc/self/exe", exe_now, sizeof exe_now - 1) > 0 && !strcmp(exe, exe_now), "%s", exe_now);
	test_pass();
}
