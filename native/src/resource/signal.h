/* SPDX-License-Identifier: MIT
 *
 * Signals: handlers, pending signals with their siginfo, alternate stacks.
 */
#ifndef PCR_RESOURCE_SIGNAL_H
#define PCR_RESOURCE_SIGNAL_H

#include <sys/types.h>

#include <stdbool.h>

#include "images/core.pb-c.h"

struct task;
struct thread;

/* --- dump --- */

/* The handlers that the parasite found, all but SIGKILL and SIGSTOP in order, into core. */
void signal_dump_actions(const struct task *task, TaskCoreEntry *core);

/* The queue of a stopped thread, or with shared of its process (PTRACE_PEEKSIGINFO, ptrace(2)). Returns NULL with the error set. */
SignalQueueEntry *signal_dump_queue(const struct thread *thread, bool shared);

/* The alternate stack that the parasite found. */
ThreadSasEntry *signal_dump_altstack(const struct thread *thread);

/* --- restore --- */

#define SIGNAL_COUNT 64
#define SIGINFO_BYTES 128 /* siginfo_t */

/* Return 0 or -1 with the error set. */
int task_signals_check(pid_t pid, const TaskCoreEntry *tc);
int thread_signals_check(pid_t pid, pid_t tid, const ThreadCoreEntry *entry);

/* Sets all handlers of the calling process, which has all signals blocked. Returns 0 or -1 with the error set. */
int sigactions_restore(const TaskCoreEntry *tc);

/* How many pending signals the queue has; it may be NULL. */
size_t signal_queue_length(const SignalQueueEntry *queue);
/* Copies them to to, SIGINFO_BYTES each. */
void signal_queue_fill(void *to, const SignalQueueEntry *queue);

#endif
