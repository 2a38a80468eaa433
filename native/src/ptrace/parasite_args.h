/* SPDX-License-Identifier: MIT
 *
 * What the parasite (ptrace/parasite/) is told and what it answers: laid out once for pcr and for the blob in the foreign task.
 */
#ifndef PCR_PTRACE_PARASITE_ARGS_H
#define PCR_PTRACE_PARASITE_ARGS_H

#include <stdint.h>

#define PARASITE_SIGNALS 64
#define PARASITE_TIMERS 32
#define PARASITE_COPY_ROOM 8192 /* bytes for what a copy works with, its stack at their end */

/* As the kernel's struct sigaction, rt_sigaction(2). */
struct parasite_sigaction {
	uint64_t handler, flags, restorer, mask;
};

/* As struct itimerval and struct itimerspec. */
struct parasite_timer {
	int64_t interval_sec, interval_sub, value_sec, value_sub;
};

struct parasite_posix_timer {
	int32_t id; /* in */
	int32_t overrun; /* out */
	struct parasite_timer when; /* out */
};

/* Nodes that the kernel can be built for on x86, and one more bit, which set_mempolicy(2) does not count: MAX_NUMNODES. */
#define MEMPOLICY_NODES 1024

/* Per process. */
struct parasite_task {
	struct parasite_sigaction sigactions[PARASITE_SIGNALS]; /* [signo - 1] */
	struct parasite_timer itimers[3]; /* ITIMER_REAL, VIRTUAL, PROF; microseconds */
	uint64_t brk;
	int32_t dumpable; /* PR_GET_DUMPABLE */
	int32_t subreaper; /* PR_GET_CHILD_SUBREAPER */
	int32_t thp_disabled; /* PR_GET_THP_DISABLE */
	int32_t membarrier; /* MEMBARRIER_CMD_GET_REGISTRATIONS, or negative */
	int32_t mdwe; /* PR_GET_MDWE, or negative */
	int32_t memory_merge; /* PR_GET_MEMORY_MERGE, or negative */
	int32_t mlock_future; /* new mappings are locked: mlockall(2), MCL_FUTURE */
	int32_t ldt_size; /* bytes of the local descriptor table, modify_ldt(2), or negative */
};

/* Per thread. */
struct parasite_thread {
	uint64_t tid_address; /* PR_GET_TID_ADDRESS */
	uint64_t altstack_sp;
	int64_t altstack_size;
	int32_t altstack_flags;
	int32_t securebits;
	int32_t pdeath_sig;
	uint64_t timerslack_ns;
	int32_t tsc; /* PR_GET_TSC */
	int32_t mce_kill; /* PR_MCE_KILL_GET */
	int32_t mempolicy; /* mode with its flags of get_mempolicy(2), or negative */
	uint64_t mempolicy_nodes[MEMPOLICY_NODES / 64];
};

enum parasite_op { PARASITE_ASK, PARASITE_UFFD, PARASITE_COPY, PARASITE_MINCORE };

struct parasite_args {
	int32_t op; /* in: enum parasite_op */
	int64_t result; /* out: descriptor, or negative errno; PARASITE_COPY: pid of the copy */
	int32_t pcr_pid; /* in: the copy ends when this process is gone */
	int32_t maker_done, maker_go; /* within PARASITE_COPY */
	uint64_t maker_stack; /* in: end of a stack for it */
	int32_t copy_shares; /* in: the memory is not copied but shared: while the process stands still */
	int32_t copy_ready; /* set by the copy, in its own memory, when its socket pair is in descriptors 0 and 1 */
	uint64_t copy_room; /* in: PARASITE_COPY_ROOM bytes */
	int32_t want_task; /* in: fill in task, too */
	int32_t marker_signal; /* in: raised when done, see ptrace/parasite.c; 0 for none */
	int32_t done; /* out: 1 when all is filled in */
	int32_t posix_timer_count; /* in */
	uint64_t frame_altstack; /* in: where the signal frame keeps its stack_t */
	struct parasite_thread thread;
	struct parasite_task task;
	union {
		struct parasite_posix_timer posix_timers[PARASITE_TIMERS];
		unsigned char there[sizeof(struct parasite_posix_timer) * PARASITE_TIMERS]; /* PARASITE_MINCORE: out */
	};
	uint64_t mincore_start, mincore_pages; /* in */
};

#endif
