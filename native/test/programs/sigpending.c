/* SPDX-License-Identifier: MIT
 *
 * Signals that are blocked and pending: for the process and for each thread, queued realtime signals in their order
 * with value, sender and code.
 */
#include "test.h"

#include <pthread.h>

#define QUEUED 40

static volatile int ready;
static pid_t child;

static sigset_t all(void)
{
	sigset_t s;

	sigfillset(&s);
	return s;
}

/* Takes one signal out of the queue without waiting. */
static int take(int sig, siginfo_t *info)
{
	struct timespec none = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	memset(info, 0, sizeof *info);
	/* not glibc's sigtimedwait(): that turns SI_TKILL into SI_USER */
	return syscall(SYS_rt_sigtimedwait, &set, info, &none, 8);
}

static void queue_to_thread(pid_t tid, int sig, int value)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = sig;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = value;
	check(syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, sig, &info) == 0);
}

static void verify_thread(int base)
{
	siginfo_t info;
	int i;

	for (i = 0; i < QUEUED; i++) {
		check(take(SIGRTMIN + 5, &info) == SIGRTMIN + 5, "queued signal %d of %d is gone", i, QUEUED);
		check(info.si_code == SI_QUEUE, "code %d", info.si_code);
		check(info.si_value.sival_int == base + i, "value %d, was %d", info.si_value.sival_int, base + i);
	}
	check(take(SIGRTMIN + 5, &info) < 0, "one signal too many");
	check(take(SIGUSR2, &info) == SIGUSR2);
	check(info.si_code == SI_TKILL && info.si_pid == getpid(), "code %d pid %d", info.si_code, info.si_pid);
}

static void *thread(void *arg)
{
	int i, base = (int)(intptr_t)arg;
	pid_t tid = syscall(SYS_gettid);

	for (i = 0; i < QUEUED; i++)
		queue_to_thread(tid, SIGRTMIN + 5, base + i);
	check(syscall(SYS_tgkill, getpid(), tid, SIGUSR2) == 0);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	test_wait();
	verify_thread(base);
	return NULL;
}

int main(int argc, char **argv)
{
	sigset_t block = all();
	pthread_t t[2];
	siginfo_t info;
	union sigval v;
	pid_t me = getpid();
	int i;

	test_init(argc, argv);
	sigprocmask(SIG_SETMASK, &block, NULL);
	for (i = 0; i < 2; i++)
		check(pthread_create(&t[i], NULL, thread, (void *)(intptr_t)(100000 * (i + 1))) == 0);
	while (ready < 2)
		sched_yield();
	/* shared queue: a plain signal, a burst of queued ones, a child's end */
	check(kill(me, SIGTERM) == 0);
	check(kill(me, SIGUSR1) == 0);
	for (i = 0; i < QUEUED; i++) {
		v.sival_ptr = (void *)(0x1234500000000ul + i);
		check(sigqueue(me, SIGRTMIN + 1 + i % 2, v) == 0);
	}
	child = test_fork();
	if (!child)
		_exit(7);
	check(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
	check(waitpid(child, NULL, 0) == child); /* reaped, its SIGCHLD stays pending */
	check(syscall(SYS_tgkill, me, me, SIGUSR2) == 0);
	for (i = 0; i < QUEUED; i++)
		queue_to_thread(me, SIGRTMIN + 5, 300000 + i);
	test_ready();
	test_wait();
	verify_thread(300000);
	check(take(SIGTERM, &info) == SIGTERM && info.si_code == SI_USER && info.si_pid == me, "code %d pid %d",
	      info.si_code, info.si_pid);
	check(take(SIGUSR1, &info) == SIGUSR1);
	for (i = 0; i < QUEUED; i++) {
		check(take(SIGRTMIN + 1 + i % 2, &info) == SIGRTMIN + 1 + i % 2, "queued signal %d is gone", i);
		check(info.si_code == SI_QUEUE && info.si_pid == me, "code %d pid %d", info.si_code, info.si_pid);
		check(info.si_value.sival_ptr == (void *)(0x1234500000000ul + i), "value %p", info.si_value.sival_ptr);
	}
	check(take(SIGRTMIN + 1, &info) < 0 && take(SIGRTMIN + 2, &info) < 0);
	check(take(SIGCHLD, &info) == SIGCHLD && info.si_pid == child && info.si_status == 7 &&
		      info.si_code == CLD_EXITED, "pid %d status %d code %d", info.si_pid, info.si_status, info.si_code);
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	test_pass();
}
