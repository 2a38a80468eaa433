/* SPDX-License-Identifier: MIT
 *
 * Threads with all signals blocked in system calls that then never fail with EINTR, and callers that rely on it: poll without a time
 * limit and with one, sleep, nanosleep that does not ask for the rest, a condition variable's time limit.
 */
#include "test.h"

#include <poll.h>
#include <pthread.h>

static int wait_pipe[2];
static volatile int inside, left, woken;

static void *in_poll(void *arg)
{
	struct pollfd p = { .fd = wait_pipe[0], .events = POLLIN };
	int r;

	__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
	r = poll(&p, 1, *(int *)arg ? 3600 * 1000 : -1);
	check(r == 1, "poll gave %d, errno %d", r, errno);
	return NULL;
}

static void *in_sleep(void *unused)
{
	(void)unused;
	__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
	sleep(3600);
	woken++;
	return NULL;
}

static void *in_nanosleep(void *unused)
{
	struct timespec want = { 3600, 0 };

	(void)unused;
	__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
	nanosleep(&want, NULL);
	woken++;
	return NULL;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *in_cond(void *unused)
{
	struct timespec until;
	int r = 0;

	(void)unused;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 3600;
	pthread_mutex_lock(&mutex);
	__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
	while (!left && !r)
		r = pthread_cond_timedwait(&cond, &mutex, &until);
	check(r == 0, "pthread_cond_timedwait gave %d", r);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

int main(int argc, char **argv)
{
	static void *(*const runs[5])(void *) = { in_poll, in_poll, in_cond, in_sleep, in_nanosleep };
	static int numbers[5] = { 0, 1, 2, 3, 4 };
	pthread_t t[5];
	sigset_t all;
	int i;

	test_init(argc, argv);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	check(!pipe(wait_pipe));
	for (i = 0; i < 5; i++)
		check(pthread_create(&t[i], NULL, runs[i], &numbers[i]) == 0);
	while (inside < 5)
		sched_yield();
	test_ready();
	test_wait();
	pthread_mutex_lock(&mutex);
	left = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	check(write(wait_pipe[1], "x", 1) == 1);
	for (i = 0; i < 3; i++)
		check(pthread_join(t[i], NULL) == 0);
	check(!woken, "%d sleeps were cut short", woken);
	test_pass();
}
