/* SPDX-License-Identifier: MIT
 *
 * What is to be done with each of the 64 signals: handler, flags, mask and restorer, compared as the kernel has them.
 * With argument "trap", SIGTRAP is ignored too: who forces one by a breakpoint in the parasite loses that.
 */
#include "test.h"

struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

static volatile sig_atomic_t last, times;
static volatile siginfo_t info;

static void plain(int sig)
{
	last = sig;
	times++;
}

static void with_info(int sig, siginfo_t *i, void *context)
{
	(void)context;
	info = *i;
	plain(sig);
}

static void get(int sig, struct kernel_action *a)
{
	memset(a, 0, sizeof *a);
	check(syscall(SYS_rt_sigaction, sig, NULL, a, 8) == 0);
}

int main(int argc, char **argv)
{
	static const int flags[] = { 0,		 SA_RESTART,	SA_NODEFER, SA_RESETHAND,
				     SA_SIGINFO, SA_NOCLDSTOP, SA_ONSTACK, SA_SIGINFO | SA_RESTART | SA_NODEFER };
	static struct kernel_action before[65], after;
	struct sigaction sa;
	union sigval value = { .sival_int = 4711 };
	int sig;

	test_init(argc, argv);
	for (sig = 1; sig <= 64; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP || sig == 32 || sig == 33)
			continue;
		memset(&sa, 0, sizeof sa);
		if (sig == SIGTRAP && argc < 3)
			continue;
		if (sig % 5 == 0) {
			sa.sa_handler = SIG_IGN;
		} else if (sig % 7 == 0) {
			sa.sa_handler = SIG_DFL;
		} else {
			sa.sa_flags = flags[sig % 8];
			if (sa.sa_flags & SA_SIGINFO)
				sa.sa_sigaction = with_info;
			else
				sa.sa_handler = plain;
			sigaddset(&sa.sa_mask, 1 + sig * 3 % 31);
			sigaddset(&sa.sa_mask, SIGRTMIN + sig % 20);
		}
		check(sigaction(sig, &sa, NULL) == 0, "signal %d", sig);
	}
	/* one without SA_RESTORER, as other libcs than glibc may have it */
	get(SIGURG, &after);
	after.flags &= ~0x04000000ul;
	after.restorer = 0;
	check(syscall(SYS_rt_sigaction, SIGURG, &after, NULL, 8) == 0);
	for (sig = 1; sig <= 64; sig++)
		get(sig, &before[sig]);
	test_ready();
	test_wait();
	for (sig = 1; sig <= 64; sig++) {
		get(sig, &after);
		check(!memcmp(&before[sig], &after, sizeof after),
		      "signal %d: handler %lx flags %lx restorer %lx mask %lx, was %lx %lx %lx %lx", sig, after.handler,
		      after.flags, after.restorer, after.mask, before[sig].handler, before[sig].flags,
		      before[sig].restorer, before[sig].mask);
	}
	/* and they work */
	check(last == 0 && times == 0, "signal %d was delivered meanwhile", (int)last);
	check(kill(getpid(), SIGUSR2) == 0 && last == SIGUSR2, "last %d", (int)last); /* 12: SA_SIGINFO */
	check(info.si_signo == SIGUSR2 && info.si_pid == getpid() && info.si_code == SI_USER);
	check(kill(getpid(), SIGINT) == 0 && last == SIGINT);
	check(kill(getpid(), 15) == 0 && kill(getpid(), 10) == 0 && times == 2, "an ignored signal was delivered");
	check(sigqueue(getpid(), SIGRTMIN + 10, value) == 0 && last == SIGRTMIN + 10 && info.si_value.sival_int == 4711);
	check(kill(getpid(), SIGSEGV) == 0 && last == SIGSEGV); /* 11: SA_RESETHAND */
	get(SIGSEGV, &after);
	check(after.handler == 0, "SA_RESETHAND did not reset");
	test_pass();
}
