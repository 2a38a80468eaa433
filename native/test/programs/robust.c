/* SPDX-License-Identifier: MIT
 *
 * Robust futex lists: the head registered by each thread is kept, so that a thread which ends with a robust mutex held
 * still leaves EOWNERDEAD to the next.
 */
#include "test.h"

#include <linux/futex.h>
#include <pthread.h>

static pthread_mutex_t mutex;
static volatile int held;

static void *holder(void *unused)
{
	void *head = NULL, *head_now = NULL;
	size_t size = 0;

	(void)unused;
	check(syscall(SYS_get_robust_list, 0, &head, &size) == 0 && head);
	check(pthread_mutex_lock(&mutex) == 0);
	held = 1;
	test_wait();
	check(syscall(SYS_get_robust_list, 0, &head_now, &size) == 0);
	check(head == head_now, "robust list %p, was %p", head_now, head);
	check(size == sizeof(struct robust_list_head), "size %zu", size);
	return NULL; /* the kernel walks the list now */
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t attr;
	pthread_t t;
	void *head = NULL, *head_now = NULL;
	size_t size;
	int error;

	test_init(argc, argv);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &attr);
	check(syscall(SYS_get_robust_list, 0, &head, &size) == 0 && head);
	check(pthread_create(&t, NULL, holder, NULL) == 0);
	while (!held)
		sched_yield();
	test_ready();
	test_wait();
	check(syscall(SYS_get_robust_list, 0, &head_now, &size) == 0);
	check(head == head_now, "robust list %p, was %p", head_now, head);
	error = pthread_mutex_lock(&mutex);
	check(error == EOWNERDEAD, "%d", error);
	check(pthread_mutex_consistent(&mutex) == 0);
	pthread_join(t, NULL);
	test_pass();
}
