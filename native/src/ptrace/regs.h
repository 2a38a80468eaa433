/* SPDX-License-Identifier: MIT
 *
 * Registers of a stopped thread.
 */
#ifndef PCR_PTRACE_REGS_H
#define PCR_PTRACE_REGS_H

#include <sys/user.h>

#include "tree/task.h"

/* Reads the general registers, the whole xsave area and the signal mask into the thread. Moves a thread that stands inside an rseq
 * critical section to its abort address, as the kernel would have (linux/rseq.h). Returns 0 or -1 with the error set. */
int regs_read(struct task *task, struct thread *thread);

/* Registers with which the thread goes on where nothing but them is kept: an interrupted system call is entered
 * again (ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND) or, where the kernel's restart block is needed for that, as
 * syscall_restart.h says. */
struct user_regs_struct regs_for_image(const struct thread *thread);

/* Puts the registers and mask that regs_read found (back) into the stopped thread. Returns 0 or -1 with the error set. */
int regs_write(const struct thread *thread);

/* PTRACE_SETREGSET NT_PRSTATUS. Returns 0 or -1 with the error set. */
int regs_set(pid_t tid, const struct user_regs_struct *regs);

/* PTRACE_SETSIGMASK. Returns 0 or -1 with the error set. */
int sigmask_set(pid_t tid, uint64_t mask);

#endif
