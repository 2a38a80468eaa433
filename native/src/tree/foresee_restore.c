/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/capability.h"
#include "common/err.h"
#include "common/util.h"
#include "resource/creds.h"
#include "resource/tcp.h"
#include "resource/tcp_within.h"
#include "tree/foresee.h"
#include "tree/restore_tree.h"

/* The kernel's include/net/tcp_states.h */
#define TCP_STATE_CLOSE 7
#define TCP_STATE_LISTEN 10
#define IOPRIO_CLASS(ioprio) ((ioprio) >> 13)
#define IOPRIO_CLASS_RT 1

static int foresee_schedule(const struct restore_task *task, const struct restore_thread *thread)
{
	const ThreadCoreEntry *e = thread->core->thread_core;
	struct rlimit limit = { 0, 0 };

	if (has_capability(CAP_SYS_NICE))
		return 0;
	/* setpriority(2): down to 20 - RLIMIT_NICE */
	getrlimit(RLIMIT_NICE, &limit);
	if (e->has_sched_nice && e->sched_nice < getpriority(PRIO_PROCESS, 0) && e->sched_nice < 20 - (int)limit.rlim_cur)
		return err_set(EPERM, "pid %d: thread %d had nice value %d, pcr has %d: lowering it takes CAP_SYS_NICE or RLIMIT_NICE; start pcr with nice "
			       "value %d", task->pid, thread->tid, e->sched_nice, getpriority(PRIO_PROCESS, 0), e->sched_nice);
	getrlimit(RLIMIT_RTPRIO, &limit);
	if (e->has_sched_policy && (e->sched_policy == SCHED_FIFO || e->sched_policy == SCHED_RR) && (!e->has_sched_prio || e->sched_prio > limit.rlim_cur))
		return err_set(EPERM, "pid %d: thread %d ran under real-time scheduling, which takes CAP_SYS_NICE or RLIMIT_RTPRIO", task->pid, thread->tid);
	if (e->has_pcr_ioprio && IOPRIO_CLASS(e->pcr_ioprio) == IOPRIO_CLASS_RT)
		return err_set(EPERM, "pid %d: thread %d had real-time I/O priority, which takes CAP_SYS_NICE", task->pid, thread->tid);
	return 0;
}

/* Whether a child of ours may have this oom_score_adj: how far it may go down only the kernel knows. */
static bool may_adjust(int value)
{
	int status = 1;
	pid_t child = fork();

	if (child == 0) {
		auto_fd fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
		char text[16];

		snprintf(text, sizeof(text), "%d", value);
		_exit(fd >= 0 && write_all(fd, text, strlen(text)) == 0 ? 0 : 1);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return child < 0 || status == 0;
}

static int foresee_oom(const struct restore_task *task)
{
	const TaskCoreEntry *tc = task->threads[0].core->tc;
	auto_free char *own = proc_read(getpid(), "oom_score_adj", NULL);

	if (!tc->has_oom_score_adj || !own || tc->oom_score_adj >= atoi(own) || has_capability(CAP_SYS_RESOURCE) || may_adjust(tc->oom_score_adj))
		return 0;
	return err_set(EPERM, "pid %d: its oom_score_adj was %d, pcr's is %d: lowering it takes CAP_SYS_RESOURCE", task->pid, tc->oom_score_adj, atoi(own));
}

static int foresee_locked(const struct restore_task *task)
{
	struct rlimit limit;
	uint64_t locked = 0;

	for (size_t i = 0; i < task->vma_count; i++)
		if (task->vmas[i].entry->flags & MAP_LOCKED)
			locked += task->vmas[i].entry->end - task->vmas[i].entry->start;
	if (has_capability(CAP_IPC_LOCK) || getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || locked <= limit.rlim_cur)
		return 0;
	return err_set(EPERM, "pid %d: it had %" PRIu64 " KiB of locked memory, here %" PRIu64 " are allowed: raise the limit (ulimit -l) or give pcr "
		       "CAP_IPC_LOCK", task->pid, locked / 1024, (uint64_t)limit.rlim_cur / 1024);
}

static int foresee_files(const struct restore *restore)
{
	for (size_t i = 0; i < restore->file_count; i++) {
		const struct restore_file *file = restore->files[i];
		const InetSkEntry *sk = file->kind && file->entry->type == FD_TYPES__INETSK ? file->entry->isk : NULL;

		if (sk && sk->type == SOCK_STREAM && sk->state != TCP_STATE_CLOSE && sk->state != TCP_STATE_LISTEN && !restore->request->tcp_close &&
		    !tcp_repair_allowed() && !tcp_other_end_is_here(sk))
			return err_set(EPERM, "file %u is a TCP connection (port %u to %u) whose other end is not in the images: restoring it takes "
				       "CAP_NET_ADMIN; --tcp-close gives it up", file->id, sk->src_port, sk->dst_port);
		if (((sk && sk->type == SOCK_RAW) || (file->kind && file->entry->type == FD_TYPES__PACKETSK)) && !has_capability(CAP_NET_RAW))
			return err_set(EPERM, "file %u is a raw or packet socket: restoring it takes CAP_NET_RAW", file->id);
	}
	return 0;
}

int foresee_restore(struct restore *restore, bool outside)
{
	for (size_t i = 0; i < restore->task_count; i++) {
		const struct restore_task *task = &restore->tasks[i];

		if (task->zombie || task->helper)
			continue;
		for (size_t t = 0; t < task->thread_count; t++)
			if (creds_foresee(task->pid, task->threads[t].tid, task->threads[t].core->thread_core->creds, outside) < 0 ||
			    foresee_schedule(task, &task->threads[t]) < 0)
				return -1;
		if (foresee_oom(task) < 0 || foresee_locked(task) < 0)
			return -1;
	}
	if (restore->has_seccomp && !has_capability(CAP_SYS_ADMIN))
		return err_set(EPERM, "the tree ran under seccomp: restoring its filters takes CAP_SYS_ADMIN");
	return foresee_files(restore);
}
