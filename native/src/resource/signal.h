/* SPDX-License-Identifier: MIT
 *
 * Signals: handlers, pending signals with their siginfo, alternate stacks.
 */
#ifndef PCR_RESOURCE_SIGNAL_H
#define PCR_RESOURCE_SIGNAL_H

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

#endif
