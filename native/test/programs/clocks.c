/* SPDX-License-Identifier: MIT
 *
 * Clocks that go on from the dump's values. With an argument the program first enters a time namespace that is so many seconds ahead, as
 * after another boot. DIR/shift, if it is there at the end, says how far the images were set ahead.
 */
#include "test.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

#define NEAR 4 /* seconds */
#define FAR 5000
#define BOOT_MORE 1000 /* the namespace's CLOCK_BOOTTIME is ahead by as much more */
#define LAG 60 /* seconds, far below any jump */
#define LONGEST 1000 /* no test takes as long */

static struct timespec start[2];
static const clockid_t clocks[2] = { CLOCK_MONOTONIC, CLOCK_BOOTTIME };
static volatile int woken[3];
static uint32_t word;
static int tfd;
static timer_t timer;

static struct timespec now(clockid_t clock)
{
	struct timespec t;

	check(clock_gettime(clock, &t) == 0);
	return t;
}

static int before(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

static struct timespec in(clockid_t clock, long seconds)
{
	struct timespec t = now(clock);

	t.tv_sec += seconds;
	return t;
}

static void *sleeper(void *nothing)
{
	struct timespec until = in(CLOCK_MONOTONIC, NEAR);

	woken[0] = -1;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		;
	check(!before(now(CLOCK_MONOTONIC), until), "clock_nanosleep ended early");
	woken[0] = 1;
	return nothing;
}

static void *waiter(void *nothing)
{
	struct timespec until = in(CLOCK_MONOTONIC, NEAR);

	woken[1] = -1;
	while (syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY) == 0 || errno != ETIMEDOUT)
		;
	check(!before(now(CLOCK_MONOTONIC), until), "the futex wait ended early");
	woken[1] = 1;
	return nothing;
}

static void enter(long ahead)
{
	char text[128];
	int fd = -1, n = snprintf(text, sizeof(text), "monotonic %ld 0\nboottime %ld 0\n", ahead, ahead + BOOT_MORE);

	if (unshare(CLONE_NEWTIME) < 0)
		test_skip("there are no time namespaces here");
	fd = open("/proc/self/timens_offsets", O_WRONLY);
	check(fd >= 0 && write(fd, text, n) == n && close(fd) == 0);
	fd = open("/proc/self/ns/time_for_children", O_RDONLY);
	check(fd >= 0 && setns(fd, CLONE_NEWTIME) == 0 && close(fd) == 0);
}

static void timers(void)
{
	struct itimerspec far = { .it_value = in(CLOCK_MONOTONIC, FAR) }, boot = { .it_value = in(CLOCK_BOOTTIME, FAR) };
	struct sigevent none = { .sigev_notify = SIGEV_NONE };

	tfd = timerfd_create(CLOCK_MONOTONIC, 0);
	check(tfd >= 0 && timerfd_settime(tfd, TFD_TIMER_ABSTIME, &far, NULL) == 0);
	check(timer_create(CLOCK_BOOTTIME, &none, &timer) == 0 && timer_settime(timer, TIMER_ABSTIME, &boot, NULL) == 0);
}

/* The moment at which a timer fires is where it was on its clock. */
static void check_timer(const struct itimerspec *left, clockid_t clock, struct timespec began, const char *name)
{
	double end = now(clock).tv_sec + now(clock).tv_nsec / 1e9 + left->it_value.tv_sec + left->it_value.tv_nsec / 1e9;
	double wanted = began.tv_sec + began.tv_nsec / 1e9 + FAR;

	/* Engines look at clocks and timers at different moments. */
	check(end > wanted - LAG && end < wanted + LAG, "%s fires at %f instead of %f", name, end, wanted);
}

static void look(long shift, const char *who)
{
	struct sysinfo info;
	double uptime = 0;
	FILE *f = fopen("/proc/uptime", "r");

	for (int i = 0; i < 2; i++) {
		struct timespec t = now(clocks[i]), raw, least = start[i];

		least.tv_sec += shift;
		check(!before(t, least), "%s: clock %d went back from %ld to %ld", who, clocks[i], least.tv_sec, t.tv_sec);
		check(t.tv_sec < least.tv_sec + LONGEST, "%s: clock %d went on from %ld to %ld", who, clocks[i], least.tv_sec, t.tv_sec);
		/* Around the vDSO. */
		check(syscall(SYS_clock_gettime, clocks[i], &raw) == 0 && !before(raw, t) && raw.tv_sec <= t.tv_sec + 5,
		      "%s: the kernel's clock %d shows %ld, the vDSO's %ld", who, clocks[i], raw.tv_sec, t.tv_sec);
	}
	check(f && fscanf(f, "%lf", &uptime) == 1 && fclose(f) == 0);
	check(uptime > start[1].tv_sec + shift - 1 && uptime < start[1].tv_sec + shift + LONGEST, "%s: /proc/uptime is %f", who, uptime);
	check(sysinfo(&info) == 0 && info.uptime >= start[1].tv_sec + shift, "%s: sysinfo shows %ld", who, info.uptime);
}

int main(int argc, char **argv)
{
	long ahead, shift = 0;
	struct itimerspec left;
	pthread_t threads[2];
	char own[64] = "", childrens[64] = "";
	pid_t child;
	FILE *f;

	test_init(argc, argv);
	ahead = argc > 2 ? atol(argv[2]) : 0;
	if (ahead)
		enter(ahead);
	test_volatile((void *)woken);
	child = test_fork();
	if (!child) {
		start[0] = now(clocks[0]);
		start[1] = now(clocks[1]);
		test_mark("child");
		test_wait();
		f = fopen(test_path("shift"), "r");
		check(!f || (fscanf(f, "%ld", &shift) == 1 && fclose(f) == 0));
		look(shift, "the child");
		_exit(0);
	}
	test_await("child");
	timers();
	start[0] = now(clocks[0]);
	start[1] = now(clocks[1]);
	check(pthread_create(&threads[0], NULL, sleeper, NULL) == 0 && pthread_create(&threads[1], NULL, waiter, NULL) == 0);
	while (!woken[0] || !woken[1])
		sched_yield();
	test_ready();
	test_wait();
	f = fopen(test_path("shift"), "r");
	check(!f || (fscanf(f, "%ld", &shift) == 1 && fclose(f) == 0));
	look(shift, "the root");
	check(readlink("/proc/self/ns/time", own, sizeof(own) - 1) > 0 &&
	      readlink("/proc/self/ns/time_for_children", childrens, sizeof(childrens) - 1) > 0);
	check(!strcmp(own, childrens), "%s, but children get %s", own, childrens);
	test_join(child);
	child = test_fork();
	if (!child) {
		look(shift, "a later child");
		_exit(0);
	}
	test_join(child);
	/* What remains of a timer is in the images, whatever their clocks say. */
	start[0].tv_sec += shift;
	start[1].tv_sec += shift;
	check(timerfd_gettime(tfd, &left) == 0);
	check_timer(&left, CLOCK_MONOTONIC, start[0], "the timerfd");
	check(timer_gettime(timer, &left) == 0);
	check_timer(&left, CLOCK_BOOTTIME, start[1], "the POSIX timer");
	for (int i = 0; i < 2; i++)
		check(pthread_join(threads[i], NULL) == 0 && woken[i] == 1);
	test_pass();
}
