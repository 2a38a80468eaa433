/* SPDX-License-Identifier: MIT */
#include "ptrace/syscall_restart.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An earlier stop made it restart_syscall(2), which forgets the number; most wrappers load it right before the instruction:
 * mov $NUMBER,%eax; syscall. */
static long number_in_code(const struct task *task, unsigned long rip)
{
	unsigned char code[7];
	unsigned int number;

	if (pread(task->mem_fd, code, sizeof(code), rip - sizeof(code)) != sizeof(code) || code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05)
		return -1;
	memcpy(&number, code + 1, sizeof(number));
	return number;
}

/* The kernel has written what remains of the time. Where that is the argument itself, entering again is exact; where it is another
 * place, the caller asks for EINTR and goes on by itself; where it is nowhere, the caller expects no EINTR. */
static bool sleep_again(unsigned long want, unsigned long rest)
{
	return !rest || rest == want;
}

long syscall_to_enter_again(const struct task *task, const struct user_regs_struct *regs)
{
	long number = regs->orig_rax == SYS_restart_syscall ? number_in_code(task, regs->rip) : (long)regs->orig_rax;

	switch (number) {
	case SYS_poll:
		return number;
	case SYS_nanosleep:
		return sleep_again(regs->rdi, regs->rsi) ? number : -1;
	case SYS_clock_nanosleep:
		return sleep_again(regs->rdx, regs->r10) ? number : -1;
	case SYS_futex: /* an absolute time */
		return (regs->rsi & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET ? number : -1;
	}
	return -1;
}
