/* SPDX-License-Identifier: MIT
 *
 * System calls that the kernel itself goes on with after a stop (restart_syscall(2)), from notes that no image can hold: which of them
 * may simply be entered again. A program without signal handlers never sees poll(2) or sleep(3) fail with EINTR, and many take that for the end.
 */
#ifndef PCR_PTRACE_SYSCALL_RESTART_H
#define PCR_PTRACE_SYSCALL_RESTART_H

#include <sys/user.h>

#include "tree/task.h"

/* The number of the system call that the thread was in when it got ERESTART_RESTARTBLOCK and that may be entered again with the same
 * arguments; -1 when it has to return EINTR. A relative time-out that the call cannot tell the rest of starts anew: it may wait longer than
 * asked for, as it may on a loaded machine, but never less. */
long syscall_to_enter_again(const struct task *task, const struct user_regs_struct *regs);

#endif
