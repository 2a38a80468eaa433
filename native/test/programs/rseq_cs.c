/* SPDX-License-Identifier: MIT
 *
 * A thread dumped inside a restartable critical section. Whoever is preempted in one must come back at its abort
 * handler, and being dumped is being preempted.
 *
 * The section remembers how often its processor's counter was changed and spins on that. Only threads that run on the
 * same processor change the counter, so the section can see a change only when it was preempted and not aborted.
 */
#include "test.h"

#include <pthread.h>
#include <sys/rseq.h>

#define MAX_CPU 256

static volatile uint64_t epoch[MAX_CPU];
static volatile int stop, entered, torn;
static volatile uint64_t aborted;

static struct rseq *area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static void section(volatile struct rseq *r)
{
	/* struct rseq_cs: version, flags, start, length, abort; the signature stands before the abort handler */
	asm volatile(".pushsection __rseq_cs, \"aw\"\n"
		     ".balign 32\n"
		     "3: .long 0, 0\n"
		     ".quad 1f, 2f - 1f, 4f\n"
		     ".popsection\n"
		     "5: leaq 3b(%%rip), %%rax\n"
		     "movq %%rax, %c[cs](%[r])\n"
		     "1: movl %c[cpu](%[r]), %%eax\n"
		     "movq (%[epoch], %%rax, 8), %%rdx\n"
		     "movl $1, %[entered]\n"
		     "6: pause\n"
		     "cmpq %%rdx, (%[epoch], %%rax, 8)\n"
		     "jne 7f\n"
		     "cmpl $0, %[stop]\n"
		     "je 6b\n"
		     "2: jmp 8f\n"
		     "7: movl $1, %[torn]\n"
		     "jmp 8f\n"
		     ".byte 0x0f, 0xb9, 0x3d\n"
		     ".long %c[sig]\n"
		     "4: incq %[aborted]\n"
		     "cmpl $0, %[stop]\n"
		     "je 5b\n"
		     "8:\n"
		     : [entered] "=m"(entered), [torn] "=m"(torn), [aborted] "+m"(aborted)
		     : [r] "r"(r), [epoch] "r"(epoch), [stop] "m"(stop), [sig] "i"(RSEQ_SIG),
		       [cs] "i"(offsetof(struct rseq, rseq_cs)), [cpu] "i"(offsetof(struct rseq, cpu_id))
		     : "rax", "rdx", "memory", "cc");
}

static void *inside(void *unused)
{
	(void)unused;
	while (!stop && !torn)
		section(area());
	return NULL;
}

/* Counts on a processor, unless we are not, or no longer, running on it. */
static void disturb(volatile struct rseq *r, unsigned cpu)
{
	asm volatile(".pushsection __rseq_cs, \"aw\"\n"
		     ".balign 32\n"
		     "3: .long 0, 0\n"
		     ".quad 1f, 2f - 1f, 4f\n"
		     ".popsection\n"
		     "leaq 3b(%%rip), %%rax\n"
		     "movq %%rax, %c[cs](%[r])\n"
		     "1: cmpl %[cpu], %c[cpu_id](%[r])\n"
		     "jne 2f\n"
		     "incq %[epoch]\n"
		     "2: jmp 5f\n"
		     ".byte 0x0f, 0xb9, 0x3d\n"
		     ".long %c[sig]\n"
		     "4:\n"
		     "5:\n"
		     : [epoch] "+m"(epoch[cpu])
		     : [r] "r"(r), [cpu] "r"(cpu), [sig] "i"(RSEQ_SIG), [cs] "i"(offsetof(struct rseq, rseq_cs)),
		       [cpu_id] "i"(offsetof(struct rseq, cpu_id))
		     : "rax", "memory", "cc");
}

static void *disturber(void *unused)
{
	struct timespec nap = { 0, 1000000 };
	cpu_set_t all, one;
	int cpu;

	(void)unused;
	check(sched_getaffinity(0, sizeof all, &all) == 0);
	while (!stop) {
		for (cpu = 0; cpu < MAX_CPU; cpu++) {
			if (!CPU_ISSET(cpu, &all))
				continue;
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			sched_setaffinity(0, sizeof one, &one);
			disturb(area(), cpu);
		}
		sched_setaffinity(0, sizeof all, &all);
		nanosleep(&nap, NULL);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t a, b;
	uint64_t before;

	test_init(argc, argv);
	check(__rseq_size > 0, "glibc did not register rseq");
	test_volatile((void *)&aborted);
	check(pthread_create(&a, NULL, inside, NULL) == 0);
	check(pthread_create(&b, NULL, disturber, NULL) == 0);
	while (!entered || aborted < 3)
		sched_yield();
	test_ready();
	test_wait();
	/* it still enters, and the kernel still aborts it */
	before = aborted;
	while (aborted < before + 3 && !torn)
		sched_yield();
	stop = 1;
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	check(!torn, "went on in the middle of a critical section after being preempted");
	test_pass();
}
