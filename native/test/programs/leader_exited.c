/* SPDX-License-Identifier: MIT
 *
 * Processes whose first threads have ended while others run: the root, and a child whose first thread ended with another status. Threads, descriptors, memory and timers go on; the first thread is gone before and after.
 */
#include "test.h"

#include <linux/prctl.h>
#include <pthread.h>

#define LEADER_CODE 7
#define LAST_CODE 3
#define PAGES 64

static int ends[2];
static char *memory;
static timer_t timer;
static pid_t child;
static volatile int blocked, ended;

/* Its wait(2) status, the last field of proc_pid_stat(5); -1 when it lives. */
static int first_thread_ended_with(void)
{
	char path[64], text[512] = "", *last;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	last = n > 0 && strstr(text, ") Z") ? strrchr(text, ' ') : NULL;
	return last ? atoi(last) : -1;
}

static void *reader(void *nothing)
{
	char c = 0;

	blocked = 1;
	check(read(ends[0], &c, 1) == 1 && c == 'x');
	ended = 1;
	return nothing;
}

static void *in_child(void *nothing)
{
	(void)nothing;
	while (first_thread_ended_with() < 0)
		sched_yield();
	test_mark("child");
	test_wait();
	check(first_thread_ended_with() == LEADER_CODE << 8, "the child's first thread: 0x%x", first_thread_ended_with());
	syscall(SYS_exit, LAST_CODE);
	return NULL;
}

static void *life(void *name)
{
	sigset_t now;
	struct itimerspec left;
	char comm[16] = "";
	pthread_t thread;
	int status = 0;

	check(prctl(PR_SET_NAME, name) == 0);
	while (first_thread_ended_with() < 0)
		sched_yield();
	check(pthread_create(&thread, NULL, reader, NULL) == 0);
	while (!blocked)
		sched_yield();
	check(kill(getpid(), SIGUSR2) == 0);
	child = test_fork();
	if (!child) {
		/* fork(2) made this thread the first one of the new process. */
		check(pthread_create(&thread, NULL, in_child, NULL) == 0);
		syscall(SYS_exit, LEADER_CODE);
	}
	test_await("child");
	test_ready();
	test_wait();
	check(first_thread_ended_with() == 0, "the first thread: 0x%x", first_thread_ended_with());
	check(test_pattern_ok(memory, PAGES * 4096, 5), "memory");
	check(prctl(PR_GET_NAME, comm) == 0 && !strcmp(comm, name), "the thread is called %s", comm);
	check(sigpending(&now) == 0 && sigismember(&now, SIGUSR2), "the pending signal is lost");
	check(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec > 1000, "the timer is lost");
	check(!ended && write(ends[1], "x", 1) == 1);
	while (!ended)
		sched_yield();
	/* Before Linux 5.17 the first thread's is the process's. */
	check(waitpid(child, &status, 0) == child && WIFEXITED(status), "status 0x%x", status);
	check(WEXITSTATUS(status) == LAST_CODE || WEXITSTATUS(status) == LEADER_CODE, "status 0x%x", status);
	test_pass();
}

int main(int argc, char **argv)
{
	struct itimerspec far = { .it_value = { 5000, 0 } };
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	sigset_t blocked_signals;
	pthread_t thread;

	test_init(argc, argv);
	memory = test_mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_pattern(memory, PAGES * 4096, 5);
	sigemptyset(&blocked_signals);
	sigaddset(&blocked_signals, SIGUSR2);
	check(pthread_sigmask(SIG_SETMASK, &blocked_signals, NULL) == 0);
	check(pipe2(ends, O_CLOEXEC) == 0);
	check(timer_create(CLOCK_MONOTONIC, &none, &timer) == 0 && timer_settime(timer, 0, &far, NULL) == 0);
	check(pthread_create(&thread, NULL, life, "alive") == 0);
	pthread_exit(NULL);
}
