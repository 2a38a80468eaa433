/* SPDX-License-Identifier: MIT
 *
 * timer_create(2): ids, some of them missing, notifications, intervals and what remains survive; far timers do not fire, near ones go
 * on, by signal, to one thread, and by a thread of the C library. "many": more of them than one look at a process takes.
 */
#include "test.h"

#include <pthread.h>
#include <semaphore.h>

#define MANY 200

static volatile sig_atomic_t near_fired, far_fired, thread_fired;
static volatile pid_t thread_tid;
static int cookie;
static volatile int by_thread;

static void on_near(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	if (info->si_value.sival_ptr == &cookie)
		near_fired++;
}

static void on_far(int sig)
{
	(void)sig;
	far_fired++;
}

static void on_thread(int sig)
{
	(void)sig;
	if (syscall(SYS_gettid) == thread_tid)
		thread_fired++;
}

static void notified(union sigval value)
{
	if (value.sival_ptr == &cookie)
		by_thread = 1;
}

static void *thread_main(void *ready)
{
	sigset_t none;

	sigemptyset(&none);
	thread_tid = syscall(SYS_gettid);
	sem_post(ready);
	while (!test_go() || thread_fired < 3)
		usleep(1000);
	return NULL;
}

/* The kernel's ids, which timer_t hides. */
static int ids(int *list, int room)
{
	FILE *f = fopen("/proc/self/timers", "re");
	char line[128];
	int n = 0;

	check(f != NULL);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "ID: %d", &list[n]) == 1) {
			n++;
			check(n < room);
		}
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	static const struct itimerspec far = { .it_value = { 5000, 0 }, .it_interval = { 66, 7 } };
	static const struct itimerspec near = { .it_value = { 0, 200000000 }, .it_interval = { 0, 200000000 } };
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_RESTART };
	int many = argc == 3, before[MANY + 32], after[MANY + 32], count;
	timer_t timers[MANY], hole, t_near, t_thread, t_none, t_library;
	struct itimerspec now;
	pthread_t thread;
	sem_t ready;

	test_init(argc, argv);
	test_volatile((void *)&near_fired);
	test_volatile(&now);
	signal(SIGRTMIN + 1, on_far);
	signal(SIGRTMIN + 3, on_thread);
	sa.sa_sigaction = on_near;
	sigaction(SIGRTMIN + 2, &sa, NULL);
	if (many) {
		for (int i = 0; i < MANY; i++) {
			check(timer_create(CLOCK_MONOTONIC, &event, &timers[i]) == 0);
			check(timer_settime(timers[i], 0, &(struct itimerspec){ { i + 1, 0 }, { 5000 + i, 0 } }, NULL) == 0);
		}
		count = ids(before, MANY + 32);
		test_ready();
		test_wait();
		check(count == ids(after, MANY + 32) && !memcmp(before, after, count * sizeof *before), "other ids");
		for (int i = 0; i < MANY; i++) {
			check(timer_gettime(timers[i], &now) == 0 && now.it_interval.tv_sec == i + 1, "timer %d", i);
			check(now.it_value.tv_sec > 4000 && now.it_value.tv_sec < 5000 + i + 1, "timer %d: %ld s remain", i, now.it_value.tv_sec);
		}
		check(!far_fired);
		test_pass();
	}
	sem_init(&ready, 0, 0);
	check(pthread_create(&thread, NULL, thread_main, &ready) == 0);
	sem_wait(&ready);
	for (size_t i = 0; i < 5; i++) {
		check(timer_create(CLOCK_MONOTONIC, &event, &hole) == 0);
		check(timer_create(clocks[i], &event, &timers[i]) == 0 && timer_settime(timers[i], 0, &far, NULL) == 0);
		check(timer_delete(hole) == 0);
	}
	event.sigev_notify = SIGEV_NONE;
	check(timer_create(CLOCK_MONOTONIC, &event, &t_none) == 0 && timer_settime(t_none, 0, &far, NULL) == 0);
	event = (struct sigevent){ .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2, .sigev_value.sival_ptr = &cookie };
	check(timer_create(CLOCK_MONOTONIC, &event, &t_near) == 0 && timer_settime(t_near, 0, &near, NULL) == 0);
	event = (struct sigevent){ .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 3 };
	event._sigev_un._tid = thread_tid;
	check(timer_create(CLOCK_MONOTONIC, &event, &t_thread) == 0 && timer_settime(t_thread, 0, &near, NULL) == 0);
	event = (struct sigevent){ .sigev_notify = SIGEV_THREAD, .sigev_notify_function = notified, .sigev_value.sival_ptr = &cookie };
	check(timer_create(CLOCK_MONOTONIC, &event, &t_library) == 0);
	count = ids(before, MANY + 32);
	test_ready();
	test_wait();
	check(count == ids(after, MANY + 32) && !memcmp(before, after, count * sizeof *before), "other ids");
	check(!far_fired, "a far timer fired");
	for (size_t i = 0; i < 5; i++) {
		check(timer_gettime(timers[i], &now) == 0 && now.it_interval.tv_sec == 66 && now.it_interval.tv_nsec == 7, "timer %zu", i);
		check(now.it_value.tv_sec > 4000 && now.it_value.tv_sec <= 5000, "timer %zu: %ld s remain", i, now.it_value.tv_sec);
	}
	check(timer_gettime(t_none, &now) == 0 && now.it_interval.tv_sec == 66);
	near_fired = thread_fired = 0;
	while (near_fired < 3) /* hangs, and fails by the runner's time limit, when the timer is gone */
		usleep(1000);
	pthread_join(thread, NULL);
	check(timer_settime(t_library, 0, &(struct itimerspec){ .it_value.tv_nsec = 1000000 }, NULL) == 0);
	while (!by_thread)
		usleep(1000);
	test_pass();
}
