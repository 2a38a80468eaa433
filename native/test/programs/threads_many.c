/* SPDX-License-Identifier: MIT
 *
 * Two hundred threads, all asleep in a futex: each is restored with its tid and its own stack.
 */
#include "test.h"

#include <linux/futex.h>
#include <pthread.h>

#define THREADS 200

static int gate, arrived;

static void *thread(void *arg)
{
	pid_t tid = syscall(SYS_gettid);
	unsigned char local[512];

	test_pattern(local, sizeof local, (uint32_t)tid);
	__atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&gate, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &gate, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	check(test_pattern_ok(local, sizeof local, (uint32_t)tid));
	check(syscall(SYS_gettid) == tid);
	*(pid_t *)arg = tid;
	return arg;
}

int main(int argc, char **argv)
{
	static pthread_t t[THREADS];
	static pid_t tids[THREADS];
	int i;

	test_init(argc, argv);
	for (i = 0; i < THREADS; i++)
		check((errno = pthread_create(&t[i], NULL, thread, &tids[i])) == 0);
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < THREADS)
		sched_yield();
	test_ready();
	test_wait();
	__atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &gate, FUTEX_WAKE_PRIVATE, THREADS, NULL, NULL, 0);
	for (i = 0; i < THREADS; i++) {
		check((errno = pthread_join(t[i], NULL)) == 0);
		check(tids[i] > 0);
	}
	test_pass();
}
