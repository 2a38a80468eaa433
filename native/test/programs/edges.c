/* SPDX-License-Identifier: MIT
 *
 * Processes at the edges of what the kernel takes: addresses, descriptor numbers, names, group lists.
 */
#include "test.h"

#include <grp.h>
#include <sys/resource.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

static char *at(unsigned long address)
{
	char *p = mmap((void *)address, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED && (errno == EPERM || errno == ENOMEM))
		test_skip("this address cannot be mapped here");
	check(p == (char *)address, "%lx", address);
	test_pattern(p, PAGE, address >> 12);
	return p;
}

static char *page;

static void low(void)
{
	page = at(0x10000);
}

static void lowest(void)
{
	unsigned long least = 0;
	FILE *f = fopen("/proc/sys/vm/mmap_min_addr", "re");

	check(f && fscanf(f, "%lu", &least) == 1);
	fclose(f);
	page = at(least ? least : PAGE);
}

/* takes CAP_SYS_RAWIO */
static void zero(void)
{
	page = at(0);
}

static void top(void)
{
	page = at(0x7ffffffff000UL - PAGE);
}

static void page_after(void)
{
	check(test_pattern_ok(page, PAGE, (unsigned long)page >> 12));
}

static void high_fd(void)
{
	struct rlimit l;

	check(getrlimit(RLIMIT_NOFILE, &l) == 0);
	l.rlim_cur = l.rlim_max;
	check(setrlimit(RLIMIT_NOFILE, &l) == 0);
	check(dup2(0, l.rlim_max - 1) == (int)l.rlim_max - 1);
}

static void high_fd_after(void)
{
	struct rlimit l;

	check(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur == l.rlim_max && fcntl(l.rlim_max - 1, F_GETFD) == 0);
}

static const char odd_name[] = "a) R 1\n\t\x80\\\"(";

static void name(void)
{
	check(prctl(PR_SET_NAME, odd_name) == 0);
}

static void name_after(void)
{
	char now[16];

	check(prctl(PR_GET_NAME, now) == 0 && !strcmp(now, odd_name));
}

static void no_name(void)
{
	check(prctl(PR_SET_NAME, "") == 0);
}

static void no_name_after(void)
{
	char now[16];

	check(prctl(PR_GET_NAME, now) == 0 && !*now);
}

#define GROUPS 65536

static void groups(void)
{
	gid_t *all = malloc(GROUPS * sizeof *all);

	for (int i = 0; i < GROUPS; i++)
		all[i] = 100000 + i * 3;
	if (setgroups(GROUPS, all) < 0)
		test_skip("only root may have groups");
	free(all);
}

static void groups_after(void)
{
	gid_t *all = malloc(GROUPS * sizeof *all);

	check(getgroups(GROUPS, all) == GROUPS);
	for (int i = 0; i < GROUPS; i++)
		check(all[i] == 100000 + (gid_t)i * 3, "group %d is %u", i, all[i]);
}

static void mdwe(void)
{
	if (prctl(PR_SET_MDWE, 1, 0, 0, 0) < 0)
		test_skip("no PR_SET_MDWE");
}

static void mdwe_after(void)
{
	check(prctl(PR_GET_MDWE, 0, 0, 0, 0) == 1);
	check(mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EACCES);
}

static void merge(void)
{
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0) < 0)
		test_skip("no PR_SET_MEMORY_MERGE");
}

static void merge_after(void)
{
	check(prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) == 1);
}

static pid_t dead[6];

static void zombies(void)
{
	static const int ends[6] = { 0, 255, 1, -SIGKILL, -SIGSEGV, -SIGALRM };
	struct rlimit none = { 0, 0 };

	check(setrlimit(RLIMIT_CORE, &none) == 0);
	for (int i = 0; i < 6; i++) {
		dead[i] = test_fork();
		if (dead[i] == 0) {
			if (ends[i] < 0) {
				signal(-ends[i], SIG_DFL);
				raise(-ends[i]);
			}
			_exit(ends[i]);
		}
	}
	for (int i = 0; i < 6; i++) {
		siginfo_t info;

		check(waitid(P_PID, dead[i], &info, WEXITED | WNOWAIT) == 0);
	}
}

static void zombies_after(void)
{
	static const int statuses[6] = { 0, 255 << 8, 1 << 8, SIGKILL, SIGSEGV, SIGALRM };
	int status;

	for (int i = 0; i < 6; i++)
		check(waitpid(dead[i], &status, 0) == dead[i] && (status & ~0x80) == statuses[i], "child %d: %x", i, status);
	check(waitpid(-1, &status, 0) < 0 && errno == ECHILD);
}

static pid_t stopped_child;

static void job(void)
{
	int status;

	stopped_child = test_fork();
	if (stopped_child == 0) {
		setpgid(0, 0);
		raise(SIGTSTP);
		_exit(3);
	}
	setpgid(stopped_child, stopped_child);
	check(waitpid(stopped_child, &status, WUNTRACED) == stopped_child && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
}

static void job_after(void)
{
	int status;

	check(getpgid(stopped_child) == stopped_child);
	check(kill(-stopped_child, SIGCONT) == 0);
	/* a stop may be told of once more */
	do {
		check(waitpid(stopped_child, &status, WUNTRACED) == stopped_child);
	} while (WIFSTOPPED(status));
	check(WIFEXITED(status) && WEXITSTATUS(status) == 3, "%x", status);
}

static const struct test_kind kinds[] = {
	{ "low", low, page_after },
	{ "lowest", lowest, page_after },
	{ "zero", zero, page_after },
	{ "top", top, page_after },
	{ "high_fd", high_fd, high_fd_after },
	{ "name", name, name_after },
	{ "no_name", no_name, no_name_after },
	{ "groups", groups, groups_after },
	{ "mdwe", mdwe, mdwe_after },
	{ "merge", merge, merge_after },
	{ "zombies", zombies, zombies_after },
	{ "job", job, job_after },
};

int main(int argc, char **argv)
{
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof *kinds, NULL);
}
