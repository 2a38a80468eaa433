/* SPDX-License-Identifier: MIT
 *
 * Threads dumped inside system calls that wait. None may return for no reason, except with EINTR where signal(7) lets a
 * stop or signal cause that; then the caller goes on waiting. Afterwards each gets what it waits for.
 */
#include "test.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/select.h>

static volatile int inside;
static int data_pipe[2], poll_pipe[2], select_pipe[2], full_pipe[2];
static uint32_t word, timed_word;
static sem_t sem;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pid_t waited_child;

static void enter(void)
{
	__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
}

/* sleeps an hour unless SIGUSR1 comes */
static volatile sig_atomic_t woken;
static __thread volatile sig_atomic_t told;

static void on_usr1(int sig)
{
	(void)sig;
	told = 1;
	woken++;
}

static void *in_nanosleep(void *unused)
{
	struct timespec want = { 3600, 0 }, left;
	int r;

	(void)unused;
	enter();
	for (;;) {
		r = nanosleep(&want, &left);
		check(r < 0 && errno == EINTR, "nanosleep gave %d", r);
		check(left.tv_sec > 3000 && left.tv_sec < 3600, "%ld seconds remain of %ld", left.tv_sec, want.tv_sec);
		if (told)
			return NULL;
		want = left;
	}
}

static void *in_clock_nanosleep(void *unused)
{
	struct timespec until;
	int r;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 3600;
	enter();
	do {
		r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		check(r == EINTR, "clock_nanosleep gave %d", r);
	} while (!told);
	return NULL;
}

static void *in_futex(void *unused)
{
	long r;

	(void)unused;
	enter();
	do {
		r = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		check(r == 0 || errno == EINTR || (errno == EAGAIN && word), "futex gave %ld", r);
	} while (!word);
	return NULL;
}

static void *in_timed_futex(void *unused)
{
	struct timespec hour = { 3600, 0 };
	long r;

	(void)unused;
	enter();
	do {
		r = syscall(SYS_futex, &timed_word, FUTEX_WAIT_PRIVATE, 0, &hour, NULL, 0);
		check(r == 0 || errno == EINTR || (errno == EAGAIN && timed_word), "futex gave %ld", r);
	} while (!timed_word);
	return NULL;
}

static void *in_sem(void *unused)
{
	(void)unused;
	enter();
	while (sem_wait(&sem))
		check(errno == EINTR);
	return NULL;
}

static void *in_rwlock(void *unused)
{
	(void)unused;
	enter();
	check(pthread_rwlock_wrlock(&rwlock) == 0);
	check(pthread_rwlock_unlock(&rwlock) == 0);
	return NULL;
}

static void *in_read(void *unused)
{
	char got[8] = "";
	ssize_t r;

	(void)unused;
	enter();
	r = read(data_pipe[0], got, sizeof got);
	check(r == 4 && !memcmp(got, "data", 4), "read gave %zd", r);
	return NULL;
}

static void *in_write(void *unused)
{
	static char block[200000];
	ssize_t r;

	(void)unused;
	enter();
	r = write(full_pipe[1], block, sizeof block);
	/* what was written before the stop counts; the rest is the caller's to write */
	check(r > 0, "write gave %zd", r);
	if (r < (ssize_t)sizeof block)
		check(write(full_pipe[1], block + r, sizeof block - r) == (ssize_t)sizeof block - r);
	return NULL;
}

static void *in_poll(void *unused)
{
	struct pollfd p = { .fd = poll_pipe[0], .events = POLLIN };
	int r;

	(void)unused;
	enter();
	do {
		r = poll(&p, 1, 3600 * 1000);
		check(r == 1 || (r < 0 && errno == EINTR), "poll gave %d", r);
	} while (r != 1);
	check(p.revents == POLLIN, "revents %x", p.revents);
	return NULL;
}

static void *in_pselect(void *unused)
{
	fd_set set;
	sigset_t mask, before, after;
	int r;

	(void)unused;
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	sigfillset(&mask);
	enter();
	do {
		FD_ZERO(&set);
		FD_SET(select_pipe[0], &set);
		r = pselect(select_pipe[0] + 1, &set, NULL, NULL, NULL, &mask);
		check(r == 1 || (r < 0 && errno == EINTR), "pselect gave %d", r);
		pthread_sigmask(SIG_BLOCK, NULL, &after);
		check(!memcmp(&before, &after, 8), "pselect left its mask behind");
	} while (r != 1);
	return NULL;
}

static void *in_sigwait(void *unused)
{
	sigset_t set;
	siginfo_t info;
	int r;

	(void)unused;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	enter();
	do {
		r = sigwaitinfo(&set, &info);
		check(r == SIGUSR2 || errno == EINTR, "sigwaitinfo gave %d", r);
	} while (r < 0);
	check(info.si_pid == getpid());
	return NULL;
}

static void *in_waitpid(void *unused)
{
	int status = 0;
	pid_t r;

	(void)unused;
	enter();
	do
		r = waitpid(waited_child, &status, 0);
	while (r < 0 && errno == EINTR);
	check(r == waited_child && WIFEXITED(status) && WEXITSTATUS(status) == 33, "waitpid gave %d", r);
	return NULL;
}

/* The state letter and system call of a thread: 1 when it sleeps in one. */
static int asleep(pid_t tid)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
		text[0] = 0;
	close(fd);
	return text[0] && strncmp(text, "running", 7) != 0;
}

#define COUNT 12
static pid_t tids[COUNT];
static struct start {
	void *(*run)(void *);
	pid_t *tid;
} starts[COUNT];

static void *begin(void *arg)
{
	struct start *s = arg;

	*s->tid = syscall(SYS_gettid);
	return s->run(NULL);
}

int main(int argc, char **argv)
{
	static void *(*const runs[COUNT])(void *) = { in_nanosleep, in_clock_nanosleep, in_futex, in_timed_futex,
						      in_sem,	    in_rwlock,		in_read,  in_write,
						      in_poll,	    in_pselect,		in_sigwait, in_waitpid };
	struct sigaction sa = { .sa_handler = on_usr1 };
	pthread_t t[COUNT];
	sigset_t block;
	char sink[5000];
	int i, n, taken = 0;

	test_init(argc, argv);
	test_volatile((void *)&inside);
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR2);
	sigprocmask(SIG_BLOCK, &block, NULL);
	check(!pipe(data_pipe) && !pipe(poll_pipe) && !pipe(select_pipe) && !pipe(full_pipe) && !sem_init(&sem, 0, 0));
	check(pthread_rwlock_wrlock(&rwlock) == 0);
	waited_child = test_fork();
	if (!waited_child) {
		test_await("child may end");
		_exit(33);
	}
	for (i = 0; i < COUNT; i++) {
		starts[i] = (struct start){ runs[i], &tids[i] };
		check(pthread_create(&t[i], NULL, begin, &starts[i]) == 0);
	}
	while (inside < COUNT)
		sched_yield();
	for (i = 0; i < COUNT; i++)
		while (!asleep(tids[i]))
			sched_yield();
	test_ready();
	test_wait();

	check(woken == 0);
	check(pthread_kill(t[0], SIGUSR1) == 0 && pthread_kill(t[1], SIGUSR1) == 0);
	word = timed_word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	syscall(SYS_futex, &timed_word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	sem_post(&sem);
	check(pthread_rwlock_unlock(&rwlock) == 0);
	check(write(data_pipe[1], "data", 4) == 4 && write(poll_pipe[1], "x", 1) == 1 && write(select_pipe[1], "x", 1) == 1);
	while (taken < 200000) {
		n = read(full_pipe[0], sink, sizeof sink);
		check(n > 0, "read gave %d", n);
		taken += n;
	}
	check(taken == 200000);
	kill(getpid(), SIGUSR2);
	test_mark("child may end");
	for (i = 0; i < COUNT; i++)
		check(pthread_join(t[i], NULL) == 0);
	check(woken == 2);
	test_pass();
}
