/* SPDX-License-Identifier: MIT
 *
 * Asking a stopped process what the kernel tells only to the process itself, by code that runs inside it.
 *
 * A target must survive the death of pcr (kill -9) at any instruction. So nothing that is put into it needs pcr to be undone:
 *  - the area is mapped from a trampoline in the zero padding behind the vDSO's code. Left alone, the trampoline unmaps it again, puts
 *    the signal mask and every register back and jumps to where the thread stood. It needs no stack.
 *  - the parasite runs in the area, on a stack of its own, and ends with rt_sigreturn to a frame with the thread's whole state,
 *    whose rip is in a second trampoline that unmaps the area and puts the registers back like the first.
 *  - in between the first thread stands in front of the first trampoline's unmapping.
 * As long as pcr lives it catches the threads before any of that happens and sets the registers itself.
 */
#ifndef PCR_PTRACE_PARASITE_H
#define PCR_PTRACE_PARASITE_H

#include "tree/task.h"

/* Fills in task->inside, the states of task->posix_timers and inside of every thread. All threads are stopped and their registers read.
 * Returns 0; -1 with the error set, the task's registers and mappings put back. */
int parasite_ask(struct task *task);

/* mincore(2) of count pages from start, one byte for each in there. Returns 0 or -1 with the error set. */
int parasite_mincore(struct task *task, uint64_t start, uint64_t count, unsigned char *there);

/* Makes a userfaultfd of the task's memory (UFFD_USER_MODE_ONLY, nothing registered) and gives it to pcr; the task does not keep it.
 * Returns the descriptor or -1 with the error set. */
int parasite_uffd(struct task *task);

/* Makes a copy of the task's memory, a process that is nobody's child in the tree and ends by itself when pcr does, or after some seconds
 * unless it is traced by then. No SIGCHLD may be pending and neither the task nor a process above it in the tree be a subreaper. Returns the copy's pid, or -1 with
 * the error set. *scratch, *scratch_size: where it has, instead of zeros, what was put there to make it. */
pid_t parasite_copy(struct task *task, uint64_t *scratch, size_t *scratch_size);

#endif
