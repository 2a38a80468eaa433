/* SPDX-License-Identifier: MIT
 *
 * The frozen tree as the dump sees it: processes, their threads, their mappings.
 */
#ifndef PCR_TREE_TASK_H
#define PCR_TREE_TASK_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/types.h>
#include <sys/user.h>

#include "ptrace/parasite_args.h"
#include "resource/pagemap_scan.h"

struct vma;
struct parasite;
struct parasite_copy;
struct self_writer;

struct thread {
	pid_t tid;
	char stop; /* as found: 'R' running or sleeping; 'T' group-stopped */
	int stop_signal; /* that stopped the group, 0 for none */
	struct user_regs_struct regs; /* as the thread runs on; see regs_for_image() */
	long again; /* system call that it may enter again though the kernel would not let it (syscall_restart.h); -1 for none */
	void *xstate; /* NT_X86_XSTATE, xstate_size bytes */
	size_t xstate_size;
	uint64_t sigmask;
	int seccomp_mode; /* linux/seccomp.h; 0 for filters that pcr has, too */
	int seccomp_count; /* filters */
	long seccomp_filter; /* the oldest, index in seccomp.img */
	char *status; /* /proc/PID/task/TID/status */
	struct parasite_thread inside; /* what only the thread itself can tell */
};

struct task {
	pid_t pid, ppid, pgid, sid; /* pid is the thread group's; ppid 0 for the root of the tree */
	struct task *parent;
	bool zombie;
	bool gone; /* it ended and was waited for while the tree was being frozen */
	int exit_code; /* of a zombie or exited leader: wait(2) status */
	pid_t live; /* a thread by which the kernel knows its memory, files and all else that its threads share: pid, unless leader_exited */
	bool leader_exited; /* its first thread has ended while others run */
	unsigned int tty_nr; /* device number of the controlling terminal, 0 for none; proc_pid_stat(5) */
	pid_t tpgid; /* its foreground group */
	int exit_signal; /* sent to the parent at the end, clone(2) */
	uint64_t start_time; /* ticks since boot: tells a reused pid */
	unsigned int stat_flags; /* /proc/PID/stat field 9 */
	unsigned long start_code, end_code, start_stack, start_data, end_data, start_brk, arg_start, arg_end, env_start, env_end;
	char *status; /* /proc/PID/status, frozen */
	char comm[16];

	struct thread *threads; /* [0] is the leader, or with leader_exited any other */
	size_t thread_count, thread_room;

	char *smaps; /* /proc/PID/smaps, read ahead (tree/read_ahead.h); NULL: not */
	struct vma *vmas;
	size_t vma_count, vma_room;
	uint32_t exe_file_id;
	int mem_fd; /* /proc/PID/mem, read and write */
	struct page_ranges ranges; /* what memory the image must have */
	pid_t copy_pid; /* process that has a copy of its memory, 0 for none (tree/snapshot.h) */
	int copy_mem; /* /proc/PID/mem of that */
	uint64_t copy_ready; /* see struct parasite_copy */
	struct self_writer *writer; /* that process, or one that shares the memory, when it can write (tree/self_write.h); NULL: none */
	struct parasite_copy *sharer; /* the latter */
	bool scanned; /* ranges are filled in */
	struct kept_pages {
		uint64_t start;
		char *data;
	} *kept; /* what the copy has not, ascending */
	size_t kept_count, kept_room;
	bool all_kept; /* and all else */
	int uffd; /* userfaultfd with which its writes are tracked, -1 for none (tree/track.h) */
	bool in_parent; /* pages that were not written since are as the parent dump has them */

	struct parasite_task inside;
	char *timers_text; /* /proc/PID/timers, frozen; NULL where there is none */
	struct parasite_posix_timer *posix_timers; /* ascending ids */
	size_t posix_timer_count;
	uint32_t vm_id, files_id, fs_id, sighand_id;
};

/* A descriptor of the process for pidfd_getfd(2); -1 with errno. PIDFD_THREAD, of threads, is O_EXCL and needs Linux 6.9. */
static inline int task_pidfd(const struct task *task)
{
	return pidfd_open(task->live, task->leader_exited ? O_EXCL : 0);
}

struct tree {
	struct task **tasks; /* parents before children; [0] is the root */
	size_t count, room;
};

#endif
