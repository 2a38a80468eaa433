/* SPDX-License-Identifier: MIT
 *
 * Seizing, stopping and letting go of foreign threads: ptrace(2), PTRACE_SEIZE family. None of it sends a signal or leaves a
 * trace, and when pcr dies the kernel lets every seized thread run on.
 */
#ifndef PCR_PTRACE_SEIZE_H
#define PCR_PTRACE_SEIZE_H

#include <stdbool.h>
#include <sys/types.h>

/* PTRACE_SEIZE and PTRACE_INTERRUPT. Returns 0; -1 with errno and no error set (ESRCH: gone; EPERM: not allowed or traced already). */
int seize_thread(pid_t tid);

/* Waits until a seized thread stands in PTRACE_EVENT_STOP. A signal that is on its way is delivered first. *group_stop (may be
 * NULL): it was stopped by a signal like SIGSTOP. Returns 0; -1 with errno, no error set (ESRCH: it ended; EINTR: the freeze timed out). */
int wait_stopped(pid_t tid, bool *group_stop);

/* Lets a stopped thread go. Ignores one that is gone. */
void release_thread(pid_t tid);

#endif
