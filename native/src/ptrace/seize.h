/* SPDX-License-Identifier: MIT
 *
 * Seizing, stopping and letting go of foreign threads: ptrace(2), PTRACE_SEIZE family. None of it sends a signal or leaves a
 * trace, and when pcr dies the kernel lets every seized thread run on.
 */
#ifndef PCR_PTRACE_SEIZE_H
#define PCR_PTRACE_SEIZE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* PTRACE_SEIZE and PTRACE_INTERRUPT. Returns 0; -1 with errno and no error set (ESRCH: gone; EPERM: not allowed or traced already). */
int seize_thread(pid_t tid);

/* While a tick runs, a thread whose end its tracer is not told of (a leader, as long as other threads of it are not waited for) is noticed
 * by the waits below. SIGALRM and ITIMER_REAL are used for it. */
void tick_start(void);
void tick_stop(void);

/* waitpid(2) for one traced thread. Returns 0; -1 with errno ESRCH when it has ended or is about to, EINTR after a tick. */
int wait_thread(pid_t tid, int *status);

/* Waits until a seized thread stands in PTRACE_EVENT_STOP. A signal that is on its way is delivered first. *stop_signal (may be
 * NULL): the signal like SIGSTOP that had stopped it, 0 for none. Returns 0; -1 with errno, no error set (ESRCH: it ended; ETIMEDOUT: deadline, in now_us() time, is over; 0 is never). */
int wait_stopped(pid_t tid, int *stop_signal, uint64_t deadline);

/* Lets a stopped thread go. Ignores one that is gone. */
void release_thread(pid_t tid);

#endif
