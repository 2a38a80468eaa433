/* SPDX-License-Identifier: MIT
 *
 * One setting of a process, chosen by argument, in a child; the parent has none: no_new_privs, dumpable off, parent
 * death signal, child subreaper, timer slack, transparent huge pages off, login uid.
 */
#include "test.h"

static int nnp(int set)
{
	return set ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static int dumpable(int set)
{
	return set ? prctl(PR_SET_DUMPABLE, 0) : 1 - prctl(PR_GET_DUMPABLE);
}

static int death(int set)
{
	int sig = 0;

	if (set)
		return prctl(PR_SET_PDEATHSIG, SIGUSR2);
	check(prctl(PR_GET_PDEATHSIG, &sig) == 0);
	return sig == SIGUSR2;
}

static int reaper(int set)
{
	int v = 0;

	if (set)
		return prctl(PR_SET_CHILD_SUBREAPER, 1);
	check(prctl(PR_GET_CHILD_SUBREAPER, &v) == 0);
	return v;
}

static int slack(int set)
{
	return set ? prctl(PR_SET_TIMERSLACK, 123456) : prctl(PR_GET_TIMERSLACK) == 123456;
}

static int thp(int set)
{
	return set ? prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) : prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);
}

/* its own uid may be set by anybody where none is set yet; else it takes CAP_AUDIT_CONTROL */
static int login(int set)
{
	FILE *f = fopen("/proc/self/loginuid", set ? "we" : "re");
	unsigned v = 0;

	check(f != NULL);
	if (set)
		return fprintf(f, "%u", geteuid()) <= 0 || fclose(f);
	check(fscanf(f, "%u", &v) == 1);
	fclose(f);
	return v == geteuid();
}

static const struct {
	const char *name;
	int (*get_or_set)(int set); /* set: 0 on success; get: 1 when set */
} flags[] = {
	{ "no_new_privs", nnp }, { "not dumpable", dumpable }, { "parent death signal", death },
	{ "subreaper", reaper }, { "timer slack", slack },     { "no huge pages", thp },
	{ "login uid", login },
};
#define FLAGS ((int)(sizeof flags / sizeof flags[0]))

int main(int argc, char **argv)
{
	pid_t child;
	int i, k;

	test_init(argc, argv);
	check(argc == 3);
	for (i = 0; i < FLAGS && strcmp(flags[i].name, argv[2]); i++)
		;
	check(i < FLAGS, "no flag %s", argv[2]);
	child = test_fork();
	if (!child) {
		check(flags[i].get_or_set(1) == 0);
		test_mark("child");
		test_wait();
		for (k = 0; k < FLAGS; k++)
			check(flags[k].get_or_set(0) == (k == i), "\"%s\" where only \"%s\" was set", flags[k].name,
			      flags[i].name);
		_exit(0);
	}
	test_await("child");
	test_ready();
	test_wait();
	for (k = 0; k < FLAGS; k++)
		check(flags[k].get_or_set(0) == 0, "\"%s\" is set in the parent", flags[k].name);
	test_join(child);
	test_pass();
}
