/* SPDX-License-Identifier: MIT
 *
 * Blocked signals: a mask for each thread, with realtime signals; and a thread inside sigsuspend(), whose saved mask
 * must be back when it returns.
 */
#include "test.h"

#include <pthread.h>

#define THREADS 4

static volatile int ready, done;
static volatile sig_atomic_t suspended_saw;

static uint64_t mask(void)
{
	uint64_t m = 0;

	check(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &m, 8) == 0);
	return m;
}

static void *thread(void *arg)
{
	int i = (int)(intptr_t)arg;
	uint64_t want = 0x8000004000000000u >> i | 0x200u << i, got;

	check(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &want, NULL, 8) == 0);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	got = mask();
	check(got == want, "thread %d: mask %lx, was %lx", i, got, want);
	return NULL;
}

static void on_usr2(int sig)
{
	(void)sig;
	suspended_saw = 1;
}

static void *suspended(void *arg)
{
	sigset_t all, wait_mask;
	uint64_t before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	before = mask();
	sigfillset(&wait_mask);
	sigdelset(&wait_mask, SIGUSR2);
	*(pid_t *)arg = syscall(SYS_gettid);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (!suspended_saw) {
		check(sigsuspend(&wait_mask) < 0 && errno == EINTR);
		check(mask() == before, "after sigsuspend: mask %lx, was %lx", mask(), before);
	}
	done = 1;
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_usr2 };
	pthread_t t[THREADS], s;
	uint64_t before;
	pid_t stid = 0;
	sigset_t set;
	int i;

	test_init(argc, argv);
	sigaction(SIGUSR2, &sa, NULL);
	for (i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], NULL, thread, (void *)(intptr_t)i) == 0);
	check(pthread_create(&s, NULL, suspended, &stid) == 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMAX);
	sigprocmask(SIG_SETMASK, &set, NULL);
	before = mask();
	while (ready < THREADS + 1)
		sched_yield();
	test_ready();
	test_wait();
	check(mask() == before, "mask %lx, was %lx", mask(), before);
	for (i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	check(!done, "sigsuspend ended by itself");
	check(syscall(SYS_tgkill, getpid(), stid, SIGUSR2) == 0);
	pthread_join(s, NULL);
	check(done);
	test_pass();
}
