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

#include <stdbool.h>
#include <stddef.h>

#include "tree/task.h"

/* Fills in task->inside, the states of task->posix_timers and inside of every thread. All threads are stopped and their registers read.
 * Returns 0; -1 with the error set, the task's registers and mappings put back. */
int parasite_ask(struct task *task);

/* mincore(2) of count pages from start, one byte for each in there. Returns 0 or -1 with the error set. */
int parasite_mincore(struct task *task, uint64_t start, uint64_t count, unsigned char *there);

/* Makes a userfaultfd of the task's memory (UFFD_USER_MODE_ONLY, nothing registered) and gives it to pcr; the task does not keep it.
 * Returns the descriptor or -1 with the error set. */
int parasite_uffd(struct task *task);

/* A process that has the task's memory and takes requests about it (ptrace/copy_protocol.h). It is nobody's child in the tree and ends by
 * itself when pcr does, or after some seconds without a word. */
struct parasite_copy {
	pid_t pid;
	uint64_t ready; /* address in it of an int32_t that gets 1 when its descriptor 1 is pcr's end of the socket pair */
	uint64_t scratch; /* where it has, instead of zeros, what was put there to make it; as the task has while they share */
	size_t scratch_size;
	struct parasite *inside; /* of one that shares: what is still in the task */
};

/* Makes one: a copy-on-write copy of the memory, or, shares, one that uses the very memory, while the task stands still. No SIGCHLD may be
 * pending and neither the task nor a process above it in the tree be a subreaper. Returns 0, or -1 with the error set and nothing left. */
int parasite_copy(struct task *task, bool shares, struct parasite_copy *copy);

/* After the end of one that shares: puts the task's mappings and registers back. Returns 0 or -1 with the error set. */
int parasite_copy_leave(struct parasite_copy *copy);

#endif
