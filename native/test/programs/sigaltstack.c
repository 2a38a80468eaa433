/* SPDX-License-Identifier: MIT
 *
 * Alternate signal stacks: one for each thread; one thread dumped while its handler runs on it; SS_AUTODISARM.
 */
#include "test.h"

#include <pthread.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif
#define SIZE (64 * 1024)

static volatile int ready, returned;
static __thread volatile int on_stack;

static void handler(int sig, siginfo_t *info, void *context)
{
	stack_t now;
	char here;
	sigset_t set;

	(void)info;
	(void)context;
	check(sigaltstack(NULL, &now) == 0);
	check(now.ss_flags == SS_ONSTACK, "flags %x", now.ss_flags);
	check(&here >= (char *)now.ss_sp && &here < (char *)now.ss_sp + now.ss_size);
	if (sig == SIGUSR1) {
		/* stays here over the dump; returning takes the frame that was dumped */
		ready++;
		test_wait();
		check(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_ONSTACK);
		pthread_sigmask(SIG_BLOCK, NULL, &set);
		check(sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGHUP) == 1);
	}
	on_stack++;
}

static void *in_handler(void *arg)
{
	stack_t st = { .ss_sp = arg, .ss_size = SIZE }, now;
	sigset_t set;
	unsigned long rbx = 0xabcdef0123456789u;

	check(sigaltstack(&st, NULL) == 0);
	asm volatile("" : "+r"(rbx));
	check(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1) == 0);
	asm volatile("" : "+r"(rbx));
	check(rbx == 0xabcdef0123456789u && on_stack == 1);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	check(sigismember(&set, SIGUSR1) == 0 && sigismember(&set, SIGHUP) == 0);
	check(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0 && now.ss_sp == arg);
	returned = 1;
	return NULL;
}

static void *waiting(void *arg)
{
	stack_t st = { .ss_sp = arg, .ss_size = SIZE }, now;

	check(sigaltstack(&st, NULL) == 0);
	ready++;
	test_wait();
	check(sigaltstack(NULL, &now) == 0);
	check(now.ss_sp == arg && now.ss_size == SIZE && now.ss_flags == 0, "%p %zu %x, was %p", now.ss_sp, now.ss_size,
	      now.ss_flags, arg);
	check(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR2) == 0);
	check(on_stack == 1);
	return NULL;
}

static void *autodisarm(void *arg)
{
	stack_t st = { .ss_sp = arg, .ss_size = SIZE, .ss_flags = SS_AUTODISARM }, now;

	check(sigaltstack(&st, NULL) == 0);
	ready++;
	test_wait();
	check(sigaltstack(NULL, &now) == 0);
	check(now.ss_sp == arg && now.ss_size == SIZE && (unsigned)now.ss_flags == SS_AUTODISARM, "flags %x", now.ss_flags);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_ONSTACK | SA_SIGINFO };
	void *stacks = test_mmap(NULL, 4 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t st = { .ss_sp = (char *)stacks + 3 * SIZE, .ss_size = SIZE }, now;
	pthread_t a, b, c;

	test_init(argc, argv);
	sigaddset(&sa.sa_mask, SIGHUP);
	check(sigaction(SIGUSR1, &sa, NULL) == 0 && sigaction(SIGUSR2, &sa, NULL) == 0);
	check(pthread_create(&a, NULL, in_handler, stacks) == 0);
	check(pthread_create(&b, NULL, waiting, (char *)stacks + SIZE) == 0);
	check(pthread_create(&c, NULL, autodisarm, (char *)stacks + 2 * SIZE) == 0);
	check(sigaltstack(&st, NULL) == 0);
	while (ready < 3)
		sched_yield();
	test_ready();
	test_wait();
	check(sigaltstack(NULL, &now) == 0 && now.ss_sp == st.ss_sp && now.ss_size == SIZE && now.ss_flags == 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	pthread_join(c, NULL);
	check(returned);
	test_pass();
}
