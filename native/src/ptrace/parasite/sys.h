/* SPDX-License-Identifier: MIT
 *
 * System calls without libc. They return the kernel's value: a negative errno on failure.
 */
#ifndef PCR_PTRACE_PARASITE_SYS_H
#define PCR_PTRACE_PARASITE_SYS_H

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return ret;
}

static inline long sys(long nr, long a, long b, long c, long d, long e)
{
	return sys6(nr, a, b, c, d, e, 0);
}

#endif
