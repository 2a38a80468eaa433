/* SPDX-License-Identifier: MIT
 *
 * A tree by chance, the seed by argument: processes fork, lead sessions, make and join groups, end as zombies, leave orphans to the root.
 * The runner compares it in /proc.
 */
#include "test.h"

#define MAX 40

enum { NOTHING, FORK, SESSION, GROUP, JOIN, END, REAP };

/* Shared: what each is told to do. */
static struct process {
	volatile int command, argument, running, group, ended;
} *processes;
static int me;

static void live(void) __attribute__((noreturn));

static void born(int number)
{
	me = number;
	processes[me].group = getpgrp();
	processes[me].command = NOTHING;
	__atomic_store_n(&processes[me].running, 1, __ATOMIC_SEQ_CST);
}

static void obey(void)
{
	int command = processes[me].command, argument = processes[me].argument;

	if (command == FORK && test_fork() == 0) {
		born(argument);
		live();
	}
	if (command == SESSION)
		setsid();
	if (command == GROUP)
		setpgid(0, 0);
	if (command == JOIN)
		setpgid(0, argument);
	if (command == REAP)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	if (command == END) {
		processes[me].ended = 1;
		__atomic_store_n(&processes[me].command, NOTHING, __ATOMIC_SEQ_CST);
		_exit(argument);
	}
	processes[me].group = getpgrp();
	__atomic_store_n(&processes[me].command, NOTHING, __ATOMIC_SEQ_CST);
}

static void live(void)
{
	while (!test_go()) {
		if (processes[me].command)
			obey();
		usleep(200);
	}
	_exit(0);
}

static void tell(int number, int command, int argument)
{
	processes[number].argument = argument;
	__atomic_store_n(&processes[number].command, command, __ATOMIC_SEQ_CST);
	if (number == me)
		obey();
	while (processes[number].command)
		usleep(50);
}

int main(int argc, char **argv)
{
	int count = 1, steps;

	test_init(argc, argv);
	check(argc == 3);
	srand(atoi(argv[2]));
	processes = test_mmap(NULL, MAX * sizeof *processes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	born(0);
	steps = 10 + rand() % 25;
	for (int i = 0; i < steps; i++) {
		int who = rand() % count, what = rand() % 10;

		if (processes[who].ended)
			continue;
		if (what < 4 && count < MAX) {
			tell(who, FORK, count);
			while (!processes[count].running)
				usleep(50);
			count++;
		} else if (what < 6) {
			tell(who, SESSION, 0);
		} else if (what == 6) {
			tell(who, GROUP, 0);
		} else if (what == 7) {
			tell(who, JOIN, processes[rand() % count].group);
		} else if (what == 8 && who) {
			tell(who, END, rand() % 7);
			usleep(2000);
		} else if (what == 9 && rand() % 3 == 0) {
			tell(who, REAP, 0);
		}
	}
	usleep(5000);
	test_ready();
	test_wait();
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	test_pass();
}
