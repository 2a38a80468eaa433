/* SPDX-License-Identifier: MIT
 *
 * The vDSO of another kernel: the runner makes one in the images. The functions that the C library has found before the dump must go on
 * to work, by this kernel's vDSO.
 */
#include "test.h"

#include <sys/auxv.h>
#include <sys/time.h>

static void look(void)
{
	struct timespec kernel, now, fine;
	struct timeval tv;
	unsigned cpu = 9999, node;

	for (int id = 0; id < 8; id++) {
		if (syscall(SYS_clock_gettime, id, &kernel) < 0)
			continue;
		check(clock_gettime(id, &now) == 0, "clock %d", id);
		check(now.tv_sec - kernel.tv_sec >= 0 && now.tv_sec - kernel.tv_sec < 30, "clock %d: %ld and %ld", id, now.tv_sec, kernel.tv_sec);
	}
	check(clock_getres(CLOCK_MONOTONIC, &fine) == 0 && fine.tv_sec == 0);
	check(syscall(SYS_clock_gettime, CLOCK_REALTIME, &kernel) == 0);
	check(gettimeofday(&tv, NULL) == 0 && tv.tv_sec >= kernel.tv_sec && tv.tv_sec < kernel.tv_sec + 30);
	check(time(NULL) >= kernel.tv_sec - 1);
	check(getcpu(&cpu, &node) == 0 && cpu < 9999);
}

int main(int argc, char **argv)
{
	const unsigned char *vdso = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);

	test_init(argc, argv);
	check(vdso && !memcmp(vdso, "\177ELF", 4));
	look();
	test_ready();
	test_wait();
	look();
	check(getauxval(AT_SYSINFO_EHDR) == (unsigned long)vdso && !memcmp(vdso, "\177ELF", 4));
	/* The runner's mark: what the C library knows is the old one */
	check(vdso[15] == 0x5a, "the old vDSO is gone");
	test_pass();
}
