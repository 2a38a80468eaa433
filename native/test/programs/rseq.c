/* SPDX-License-Identifier: MIT
 *
 * Restartable sequences: glibc registers an area for each thread. After the restore the kernel must still know it: it
 * keeps cpu_id current, and refuses a second registration (rseq(2): EBUSY for the same, EINVAL for another).
 */
#include "test.h"

#include <pthread.h>
#include <sys/rseq.h>

static volatile int ready;

static struct rseq *area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* glibc 2.36 registers 32 bytes, also where __rseq_size says 20 (the features) */
static int registered_as(void)
{
	syscall(SYS_rseq, area(), 32, 0, RSEQ_SIG);
	return errno;
}

static void verify(void)
{
	static __thread struct rseq other __attribute__((aligned(32)));
	cpu_set_t all, one;
	int cpu, seen = 0;
	volatile struct rseq *r = area();

	check(registered_as() == EBUSY, "the area is not registered any more");
	check(syscall(SYS_rseq, &other, 32, 0, RSEQ_SIG) < 0 && errno == EINVAL);
	check(sched_getaffinity(0, sizeof all, &all) == 0);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		check(sched_setaffinity(0, sizeof one, &one) == 0);
		check(r->cpu_id == (unsigned)cpu, "cpu_id %u on processor %d", r->cpu_id, cpu);
		check(r->cpu_id_start == (unsigned)cpu);
		seen++;
	}
	check(seen > 0);
}

static void *thread(void *unused)
{
	(void)unused;
	ready++;
	test_wait();
	verify();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;

	test_init(argc, argv);
	check(__rseq_size > 0, "glibc did not register rseq");
	check(registered_as() == EBUSY);
	check(pthread_create(&t, NULL, thread, NULL) == 0);
	while (!ready)
		sched_yield();
	test_ready();
	test_wait();
	verify();
	check(pthread_join(t, NULL) == 0);
	test_pass();
}
