/* SPDX-License-Identifier: MIT
 *
 * The last stage of a restore: what the task (tree/restore_task.c) tells the blob (restorer/blob/), which replaces the task's
 * memory, and what all tasks share with the coordinator (tree/restore.c). Laid out once for both sides: fixed sizes, no libc types.
 *
 * One region of each task holds it all, in a hole that is free before and after: code, arguments, stacks, the shared page. The
 * coordinator unmaps the region when all threads of the tree are parked in it.
 */
#ifndef PCR_RESTORER_RESTORER_H
#define PCR_RESTORER_RESTORER_H

#include <stdint.h>

#define RESTORER_ERROR_MAX 1024
/* Bytes of sched_setaffinity(2)'s mask: 8192 processors, the most that the kernel can be built for. */
#define RESTORER_AFFINITY_MAX 1024
/* Memory nodes in set_mempolicy(2)'s mask, the most that the kernel can be built for. */
#define RESTORER_NODES 1024

/* Offset in the blob of a `syscall` instruction for the coordinator's last remote munmap. */
#define RESTORER_SYSCALL_OFFSET 16

/* Stages that the coordinator opens one after another; tasks wait for them with futex(2). */
enum restorer_stage {
	STAGE_CREATE, /* tasks come to be, open files, read memory */
	STAGE_CREATED, /* all pids exist: groups can be joined */
	STAGE_SEIZED, /* all threads exist and are traced: they may give up what kills them with pcr */
	STAGE_ABORT, /* somebody failed */
};

/* Shared by the coordinator and every task; zeroed at first. */
struct restorer_shared {
	uint32_t stage; /* futex */
	uint32_t event; /* futex: changes whenever a counter below or the error does */
	uint32_t created; /* tasks that have created all their children */
	uint32_t joined; /* futex: tasks that are in their process group */
	uint32_t late_opened, late_fetched; /* futexes: tasks that have opened what needs all tasks, that have got what others opened so */
	uint32_t parked; /* threads that stand in the blob and wait for STAGE_SEIZED */
	uint32_t finished; /* threads that have everything but their registers */
	uint32_t root_seized; /* futex: the coordinator traces the root */
	uint32_t inet_started; /* sockets that listen again late, or whose datagrams wait again (resource/inetsk.c) */
	uint64_t pages; /* restored, for stats */
	uint32_t never; /* futex that nobody wakes */
	uint32_t lazy_lock; /* futex: 1 while a task tells the lazy-pages daemon of itself */
	uint32_t error_owner; /* 0, then 1: who sets it fills in the rest and then error_ready */
	uint32_t error_ready;
	int32_t error_pid, error_code;
	char error_text[RESTORER_ERROR_MAX];
};

struct restorer_range {
	uint64_t start, end;
};

struct restorer_move {
	uint64_t from, to, size;
};

/* As struct sigaction of the kernel: rt_sigaction(2). */
struct restorer_sigaction {
	uint64_t handler, flags, restorer, mask;
};

/* struct user_desc, set_thread_area(2). */
struct restorer_user_desc {
	uint32_t entry_number, base_addr, limit, bits;
};

/* What a thread is and may; credentials(7), capabilities(7). */
struct restorer_creds {
	uint32_t ids[8]; /* uid euid suid fsuid gid egid sgid fsgid */
	uint64_t inheritable, permitted, effective, ambient, keep_bounding;
	uint32_t securebits;
	uint32_t no_new_privs;
	uint32_t set_groups; /* differ from ours */
	uint32_t group_count;
	uint64_t groups; /* address of uint32_t[] */
	uint32_t set_uids, set_gids, set_caps, set_bounding, set_securebits;
};

/* struct sock_fprog with its flags, seccomp(2). */
struct restorer_filter {
	uint32_t instructions, flags;
	uint64_t code;
};

struct restorer_thread {
	int32_t tid;
	int32_t nice;
	uint32_t policy, priority;
	uint32_t set_nice, set_policy;
	uint32_t ioprio; /* 0: as the nice value says */
	uint32_t affinity_size; /* bytes of affinity, 0: all processors */
	uint8_t affinity[RESTORER_AFFINITY_MAX];
	uint64_t timer_slack; /* 0: the default */
	uint32_t set_mce_kill, mce_kill; /* PR_MCE_KILL_SET */
	uint32_t no_tsc; /* PR_TSC_SIGSEGV */
	uint32_t mempolicy; /* set_mempolicy(2), 0: the default */
	uint64_t mempolicy_nodes[RESTORER_NODES / 64];
	uint32_t pdeath_sig;
	uint32_t tls_count;
	struct restorer_user_desc tls[3];
	uint64_t stack_top;
	uint64_t clear_tid_address;
	uint64_t robust_list, robust_list_len;
	uint64_t rseq, rseq_size;
	uint64_t rseq_signature;
	uint64_t altstack_sp, altstack_size, altstack_flags;
	char comm[16];
	uint32_t signal_first, signal_count; /* of restorer_args.signals */
	struct restorer_creds creds;
	uint32_t seccomp_mode, filter_count;
	uint64_t filters; /* struct restorer_filter[], the oldest first */
};

/* As struct prctl_mm_map, linux/prctl.h. */
struct restorer_mm {
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end;
	uint64_t auxv;
	uint32_t auxv_size;
	uint32_t exe_fd;
};

struct restorer_posix_timer {
	int32_t id, clock, notify, signo;
	uint64_t value;
	int32_t notify_tid, pad;
	uint64_t interval_sec, interval_nsec, value_sec, value_nsec;
};

/* All addresses are inside the region. */
struct restorer_args {
	uint64_t region, region_size;
	uint64_t shared; /* struct restorer_shared */
	int32_t pid;
	uint32_t exited_threads;

	uint64_t unmap, unmap_count; /* struct restorer_range[] */
	uint64_t moves, move_count; /* struct restorer_move[], disjoint */
	uint64_t vdso_moves, vdso_move_count; /* struct restorer_move[] */
	uint64_t vdso_spare; /* room for the vdso between two places that overlap, 0 when not needed */
	uint64_t lazy, lazy_count; /* struct restorer_range[], registered with uffd */
	int32_t uffd, pad;
	struct restorer_mm mm;
	int32_t exe_fd, log_fd;
	uint32_t personality;
	int32_t dumpable; /* PR_SET_DUMPABLE, -1: leave */
	uint32_t subreaper;
	uint32_t mdwe, memory_merge; /* PR_SET_MDWE, PR_SET_MEMORY_MERGE */
	uint32_t mlock_future;
	uint32_t membarrier; /* MEMBARRIER_CMD_REGISTER_ bits */

	uint64_t threads, thread_count; /* struct restorer_thread[], the leader first */
	uint64_t signals; /* siginfo, 128 bytes each */
	uint32_t shared_signal_first, shared_signal_count;
	uint64_t rlimits[16][2]; /* current, maximum */
	uint32_t rlimit_count;
	uint32_t finished_here; /* futex: threads of this process that have their credentials */
	uint64_t itimers[3][4]; /* interval s, us; value s, us */
	uint64_t posix_timers, posix_timer_count; /* struct restorer_posix_timer[] */
};

#endif
