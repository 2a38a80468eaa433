/* SPDX-License-Identifier: MIT
 *
 * Interval timers. Far ones (real, virtual, prof) keep interval and about what remained, and must not fire early; in a
 * child a near periodic one goes on firing.
 */
#include "test.h"

#include <sys/time.h>

static volatile sig_atomic_t fired;

static void on_timer(int sig)
{
	(void)sig;
	fired++;
}

int main(int argc, char **argv)
{
	static const int which[3] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	struct itimerval far[3] = {
		{ .it_value = { 5000, 0 }, .it_interval = { 700, 123456 } },
		{ .it_value = { 6000, 0 }, .it_interval = { 0, 0 } },
		{ .it_value = { 7000, 500000 }, .it_interval = { 900, 4000 } },
	}, before[3], now;
	struct itimerval near = { .it_value = { 0, 20000 }, .it_interval = { 0, 20000 } };
	struct sigaction sa = { .sa_handler = on_timer, .sa_flags = SA_RESTART };
	pid_t child;
	int i;

	test_init(argc, argv);
	test_volatile((void *)&fired);
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGVTALRM, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	child = test_fork();
	if (!child) {
		int seen;

		check(setitimer(ITIMER_REAL, &near, NULL) == 0);
		test_mark("child");
		test_wait();
		check(getitimer(ITIMER_REAL, &now) == 0);
		check(now.it_interval.tv_sec == 0 && now.it_interval.tv_usec == 20000);
		seen = fired;
		while (fired < seen + 3) /* hangs, and fails by the runner's time limit, when the timer is gone */
			pause();
		_exit(0);
	}
	test_await("child");
	for (i = 0; i < 3; i++) {
		check(setitimer(which[i], &far[i], NULL) == 0);
		check(getitimer(which[i], &before[i]) == 0);
	}
	test_ready();
	test_wait();
	check(fired == 0, "a timer fired early");
	for (i = 0; i < 3; i++) {
		check(getitimer(which[i], &now) == 0);
		check(now.it_interval.tv_sec == before[i].it_interval.tv_sec &&
			      now.it_interval.tv_usec == before[i].it_interval.tv_usec,
		      "timer %d: interval %ld.%06ld, was %ld.%06ld", i, now.it_interval.tv_sec, now.it_interval.tv_usec,
		      before[i].it_interval.tv_sec, before[i].it_interval.tv_usec);
		/* no test takes 1000 seconds; the kernel rounds processor time up to a tick */
		check(now.it_value.tv_sec <= before[i].it_value.tv_sec + 1 &&
			      now.it_value.tv_sec > before[i].it_value.tv_sec - 1000,
		      "timer %d: %ld seconds remain, were %ld", i, now.it_value.tv_sec, before[i].it_value.tv_sec);
	}
	test_join(child);
	test_pass();
}
