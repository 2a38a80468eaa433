/* SPDX-License-Identifier: MIT
 *
 * The vDSO: where AT_SYSINFO_EHDR says, called in tight loops by threads while they are dumped, and clocks that go on
 * and never go back.
 */
#include "test.h"

#include <pthread.h>
#include <sys/auxv.h>
#include <sys/time.h>

static volatile int stop, running;

static void *clocks(void *arg)
{
	clockid_t id = (clockid_t)(intptr_t)arg;
	struct timespec last, now;
	int here = 0;

	test_volatile(&here);
	clock_gettime(id, &last);
	running++;
	while (!stop) {
		check(clock_gettime(id, &now) == 0);
		check(now.tv_sec > last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec >= last.tv_nsec),
		      "clock %d went back from %ld.%09ld to %ld.%09ld", id, last.tv_sec, last.tv_nsec, now.tv_sec,
		      now.tv_nsec);
		last = now;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned char *vdso = (unsigned char *)getauxval(AT_SYSINFO_EHDR);
	char line[512];
	unsigned long start = 0;
	struct timespec real, raw;
	struct timeval tv;
	unsigned cpu = 0, node = 0;
	pthread_t t[2];
	FILE *f;

	test_init(argc, argv);
	check(pthread_create(&t[0], NULL, clocks, (void *)CLOCK_MONOTONIC) == 0);
	check(pthread_create(&t[1], NULL, clocks, (void *)CLOCK_BOOTTIME) == 0);
	while (running < 2)
		sched_yield();
	test_ready();
	test_wait();
	stop = 1;
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	check(!memcmp(vdso, "\177ELF", 4));
	f = fopen("/proc/self/maps", "re");
	check(f);
	while (fgets(line, sizeof line, f))
		if (strstr(line, "[vdso]"))
			start = strtoul(line, NULL, 16);
	fclose(f);
	check(start == (unsigned long)vdso, "[vdso] at %lx, AT_SYSINFO_EHDR says %p", start, vdso);
	check(getauxval(AT_SYSINFO_EHDR) == start);
	/* the vDSO's clocks agree with the kernel's */
	check(syscall(SYS_clock_gettime, CLOCK_REALTIME, &raw) == 0 && clock_gettime(CLOCK_REALTIME, &real) == 0);
	check(real.tv_sec - raw.tv_sec >= 0 && real.tv_sec - raw.tv_sec <= 60, "%ld and %ld", real.tv_sec, raw.tv_sec);
	check(gettimeofday(&tv, NULL) == 0 && tv.tv_sec >= raw.tv_sec);
	check(time(NULL) >= raw.tv_sec - 1);
	check(getcpu(&cpu, &node) == 0 && cpu < 4096);
	test_pass();
}
