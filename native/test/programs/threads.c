/* SPDX-License-Identifier: MIT
 *
 * Threads: tids, a name and TLS each, locks and conditions between them, and thread exit: set_tid_address must still
 * clear the tid and wake the joiner, or pthread_join() never returns.
 */
#include "test.h"

#include <pthread.h>

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

#define THREADS 12

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn, ready;
static __thread int mine;
static __thread char tls_block[600];

static void *thread(void *arg)
{
	int i = (int)(intptr_t)arg;
	char name[16], now[16] = "";
	pid_t tid = syscall(SYS_gettid);
	int *address = NULL, *address_now = NULL;

	snprintf(name, sizeof name, "worker %d", i);
	prctl(PR_SET_NAME, name);
	check(prctl(PR_GET_TID_ADDRESS, &address) == 0 && address);
	mine = i * 1000;
	test_pattern(tls_block, sizeof tls_block, i);
	pthread_mutex_lock(&lock);
	ready++;
	pthread_mutex_unlock(&lock);

	/* half wait in a lock, half poll, so that both sleeping and changing threads are dumped */
	if (i % 2)
		test_wait();
	pthread_mutex_lock(&lock);
	while (turn != i)
		pthread_cond_wait(&turn_changed, &lock);
	turn++;
	pthread_cond_broadcast(&turn_changed);
	pthread_mutex_unlock(&lock);

	check(syscall(SYS_gettid) == tid);
	check(mine == i * 1000);
	check(test_pattern_ok(tls_block, sizeof tls_block, i));
	prctl(PR_GET_NAME, now);
	check(!strcmp(name, now), "name \"%s\", was \"%s\"", now, name);
	check(prctl(PR_GET_TID_ADDRESS, &address_now) == 0 && address_now == address, "tid address %p, was %p",
	      (void *)address_now, (void *)address);
	check(*address == tid, "tid word %d", *address);
	return (void *)(intptr_t)(i + 1);
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	int i, n;
	void *result;

	test_init(argc, argv);
	prctl(PR_SET_NAME, "the main one");
	turn = -1;
	for (i = 0; i < THREADS; i++)
		check((errno = pthread_create(&t[i], NULL, thread, (void *)(intptr_t)i)) == 0);
	do {
		pthread_mutex_lock(&lock);
		n = ready;
		pthread_mutex_unlock(&lock);
		sched_yield();
	} while (n < THREADS);
	test_ready();
	test_wait();
	pthread_mutex_lock(&lock);
	turn = 0;
	pthread_cond_broadcast(&turn_changed);
	pthread_mutex_unlock(&lock);
	for (i = 0; i < THREADS; i++) {
		check((errno = pthread_join(t[i], &result)) == 0);
		check((intptr_t)result == i + 1);
	}
	/* new threads still come up, with tids of their own */
	turn = 0;
	check(pthread_create(&t[0], NULL, thread, NULL) == 0);
	check(pthread_join(t[0], &result) == 0 && result == (void *)1);
	test_pass();
}
