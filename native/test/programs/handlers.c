/* SPDX-License-Identifier: MIT
 *
 * Dumped with a stack that is not the plain one: in the middle of signal handlers, of coroutines, of sigsuspend.
 */
#include "test.h"

#include <pthread.h>
#include <setjmp.h>
#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char other_stack[256 << 10], coroutine_stack[256 << 10];
static volatile int depth, deepest;
static sigjmp_buf back;
static int jump;

static void on(int sig, void (*handler)(int, siginfo_t *, void *), int flags, int also)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&sa.sa_mask);
	if (also)
		sigaddset(&sa.sa_mask, also);
	check(sigaction(sig, &sa, NULL) == 0);
}

static int blocked(int sig)
{
	sigset_t now;

	check(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
	return sigismember(&now, sig);
}

static void alternate(unsigned flags)
{
	stack_t ss = { .ss_sp = other_stack, .ss_size = sizeof other_stack, .ss_flags = (int)flags };

	check(sigaltstack(&ss, NULL) == 0);
}

/* The dump comes in the innermost of three: SIGUSR1, SIGUSR2 on the alternate stack, SIGUSR1 again (SA_NODEFER). */
static void nested(int sig, siginfo_t *info, void *context)
{
	(void)context;
	check(info->si_signo == sig);
	if (++depth < 3) {
		raise(sig == SIGUSR1 ? SIGUSR2 : SIGUSR1);
		check(!blocked(SIGUSR1) && blocked(SIGUSR2) == (sig == SIGUSR2), "the mask within handler %d", depth);
	} else {
		check(blocked(SIGUSR2) && blocked(SIGHUP));
		test_ready();
		test_wait();
		deepest = depth;
		if (jump)
			siglongjmp(back, 7);
	}
	depth--;
}

static void nested_in(int altstack)
{
	on(SIGUSR1, nested, SA_NODEFER, 0);
	on(SIGUSR2, nested, altstack ? SA_ONSTACK : 0, SIGHUP);
	if (altstack)
		alternate(0);
	if (sigsetjmp(back, 1) == 0)
		raise(SIGUSR1);
	else
		check(jump);
	check(deepest == 3 && depth == (jump ? 3 : 0), "%d handlers, %d left", deepest, depth);
	check(!blocked(SIGUSR1) && !blocked(SIGUSR2) && !blocked(SIGHUP), "the handlers' mask stays");
}

static void disarmed(int sig, siginfo_t *info, void *context)
{
	stack_t now;
	char here;

	(void)sig, (void)info, (void)context;
	check(&here > other_stack && &here < other_stack + sizeof other_stack);
	test_ready();
	test_wait();
	check(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_DISABLE, "flags %x in the handler", now.ss_flags);
	deepest = 1;
}

static void autodisarm(void)
{
	stack_t now;

	alternate(SS_AUTODISARM);
	on(SIGUSR1, disarmed, SA_ONSTACK, 0);
	raise(SIGUSR1);
	check(deepest && sigaltstack(NULL, &now) == 0 && now.ss_sp == other_stack && (unsigned)now.ss_flags == SS_AUTODISARM, "flags %x afterwards",
	      now.ss_flags);
}

static ucontext_t main_context, other_context;

static void coroutine(void)
{
	double pi = 3.25;
	char here;

	check(&here > coroutine_stack && &here < coroutine_stack + sizeof coroutine_stack);
	test_ready();
	test_wait();
	check(pi == 3.25);
	deepest = 9;
}

static void in_coroutine(void)
{
	check(getcontext(&other_context) == 0);
	other_context.uc_stack.ss_sp = coroutine_stack;
	other_context.uc_stack.ss_size = sizeof coroutine_stack;
	other_context.uc_link = &main_context;
	makecontext(&other_context, coroutine, 0);
	check(swapcontext(&main_context, &other_context) == 0 && deepest == 9);
}

static volatile int came;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	came = sig;
}

/* A helper thread tells ready and wakes the main thread, which has to find the mask it had before sigsuspend. */
static void *waker(void *to)
{
	sigset_t all;
	pthread_t main_thread = *(pthread_t *)to;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (char state = 0; state != 'S';) {
		FILE *f = fopen("/proc/self/stat", "re");

		check(f && fscanf(f, "%*d %*s %c", &state) == 1);
		fclose(f);
	}
	test_ready();
	test_wait();
	/* blocked outside of sigsuspend, and allowed in it */
	pthread_kill(main_thread, SIGUSR1);
	return NULL;
}

static void suspended(void)
{
	pthread_t thread, self = pthread_self();
	sigset_t mask, before, now;

	on(SIGUSR1, note, 0, 0);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGTERM);
	check(sigprocmask(SIG_SETMASK, &mask, &before) == 0);
	check(pthread_create(&thread, NULL, waker, &self) == 0);
	sigdelset(&mask, SIGUSR1);
	sigaddset(&mask, SIGHUP);
	check(sigsuspend(&mask) < 0 && errno == EINTR && came == SIGUSR1);
	check(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	check(sigismember(&now, SIGUSR1) && sigismember(&now, SIGTERM) && !sigismember(&now, SIGHUP), "the mask is not that of before");
	check(pthread_join(thread, NULL) == 0);
}

/* A daemon that blocks everything and takes signals one by one. */
static void taken(void)
{
	union sigval value;
	siginfo_t info;
	sigset_t all;

	sigfillset(&all);
	check(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	for (int i = 0; i < 1500; i++) {
		value.sival_int = i;
		check(sigqueue(getpid(), SIGRTMIN + 3, value) == 0);
	}
	test_ready();
	test_wait();
	for (int i = 0; i < 1500; i++) {
		check(sigwaitinfo(&all, &info) == SIGRTMIN + 3 && info.si_value.sival_int == i && info.si_pid == getpid() && info.si_code == SI_QUEUE,
		      "signal %d has value %d", i, info.si_value.sival_int);
	}
	check(sigtimedwait(&all, &info, &(struct timespec){ 0, 0 }) < 0 && errno == EAGAIN, "one more: %d", info.si_signo);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 2 ? argv[2] : "";

	test_init(argc, argv);
	if (!strcmp(kind, "nested")) {
		nested_in(0);
	} else if (!strcmp(kind, "onstack")) {
		nested_in(1);
	} else if (!strcmp(kind, "jump")) {
		jump = 1;
		nested_in(1);
	} else if (!strcmp(kind, "autodisarm")) {
		autodisarm();
	} else if (!strcmp(kind, "coroutine")) {
		in_coroutine();
	} else if (!strcmp(kind, "sigsuspend")) {
		suspended();
	} else {
		check(!strcmp(kind, "queue"), "kind %s", kind);
		taken();
	}
	test_pass();
}
