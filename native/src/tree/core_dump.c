/* SPDX-License-Identifier: MIT */
#include "tree/core_dump.h"

#include <errno.h>
#include <linux/prctl.h>
#include <linux/rseq.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "images/core.pb-c.h"
#include "resource/cgroup.h"
#include "resource/cpu.h"
#include "resource/creds.h"
#include "resource/rlimit.h"
#include "resource/sched.h"
#include "resource/seccomp.h"
#include "resource/signal.h"
#include "resource/timer.h"
#include "tree/dump.h"
#include "tree/read_ahead.h"
#include "tree/exited_leader.h"

#ifndef PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG
#define PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211
#endif
#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif

/* task_core_entry.task_state, as crit decodes it */
#define TASK_ALIVE 1
#define TASK_DEAD 2
#define TASK_STOPPED 3

#define DEFAULT_COREDUMP_FILTER 0x33 /* core(5) */

/* System call user dispatch (the kernel's admin-guide/syscall-user-dispatch.rst); kernels before 6.4 do not tell. */
static int check_dispatch(const struct thread *thread)
{
	struct {
		uint64_t mode, selector, offset, length;
	} config = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, thread->tid, sizeof(config), &config) == 0 && config.mode)
		return err_set(ENOTSUP, "thread %d has system call user dispatch on (PR_SET_SYSCALL_USER_DISPATCH), which cannot be dumped yet",
			       thread->tid);
	return 0;
}

int core_check(struct task *task)
{
	for (size_t i = 0; i < task->thread_count; i++) {
		struct thread *thread = &task->threads[i];
		char name[48];

		snprintf(name, sizeof(name), "task/%d/status", thread->tid);
		read_ahead_take(&thread->status);
		if (!thread->status)
			thread->status = proc_read(task->live, name, NULL);
		if (!thread->status)
			return err_errno("thread %d: cannot read its status", thread->tid);
		if (seccomp_look(task, thread, thread->status) < 0 || check_dispatch(thread) < 0)
			return -1;
	}
	return seccomp_collect(task) < 0 || timer_list(task) < 0 ? -1 : 0;
}

/* What only the thread itself could tell, and no image has a place for. */
static int check_inside(const struct task *task, const struct thread *thread)
{
	if (thread == &task->threads[0] && task->inside.ldt_size > 0)
		return err_set(ENOTSUP, "pid %d has a local descriptor table (modify_ldt), which cannot be dumped", task->pid);
	return 0;
}

/* A line of a small /proc file as a number. */
static bool proc_number(pid_t pid, const char *name, long *value)
{
	auto_free char *text = proc_read(pid, name, NULL);

	if (!text)
		return false;
	*value = strtol(text, NULL, 10);
	return true;
}

static bool proc_hex(pid_t pid, const char *name, long *value)
{
	auto_free char *text = proc_read(pid, name, NULL);

	if (!text)
		return false;
	*value = strtol(text, NULL, 16);
	return true;
}

static TaskCoreEntry *new_task_core(const struct task *task)
{
	TaskCoreEntry *tc = xzalloc(sizeof(*tc));

	task_core_entry__init(tc);
	tc->comm = xstrdup(task->comm);
	tc->flags = task->stat_flags;
	tc->task_state = TASK_ALIVE;
	if (task->exit_signal != SIGCHLD) {
		tc->has_pcr_exit_signal = true;
		tc->pcr_exit_signal = task->exit_signal;
	}
	return tc;
}

static TaskCoreEntry *dump_task_core(const struct task *task)
{
	TaskCoreEntry *tc = new_task_core(task);
	auto_free char *personality = proc_read(task->live, "personality", NULL);
	long value;

	if (personality)
		tc->personality = strtoul(personality, NULL, 16);
	if (task->threads[0].stop == 'T') {
		tc->task_state = TASK_STOPPED;
		tc->has_stop_signo = true;
		tc->stop_signo = task->threads[0].stop_signal;
	}
	tc->blk_sigset = task->threads[0].sigmask;
	tc->timers = timer_dump(task);
	if ((tc->has_loginuid = proc_number(task->live, "loginuid", &value)))
		tc->loginuid = value;
	if ((tc->has_oom_score_adj = proc_number(task->live, "oom_score_adj", &value)))
		tc->oom_score_adj = value;
	if (proc_hex(task->live, "coredump_filter", &value) && value != DEFAULT_COREDUMP_FILTER) {
		tc->has_pcr_coredump_filter = true;
		tc->pcr_coredump_filter = value;
	}
	if (task->inside.mlock_future) {
		tc->has_pcr_mlock_future = true;
		tc->pcr_mlock_future = true;
	}
	if (task->inside.mdwe > 0) {
		tc->has_pcr_mdwe = true;
		tc->pcr_mdwe = task->inside.mdwe;
	}
	if (task->inside.memory_merge > 0) {
		tc->has_pcr_memory_merge = true;
		tc->pcr_memory_merge = true;
	}
	tc->has_child_subreaper = true;
	tc->child_subreaper = task->inside.subreaper;
	if (task->inside.membarrier > 0) {
		tc->has_membarrier_registration_mask = true;
		tc->membarrier_registration_mask = task->inside.membarrier;
	}
	signal_dump_actions(task, tc);
	if (!tc->timers || !(tc->rlimits = rlimit_dump(task)) || !(tc->signals_s = signal_dump_queue(&task->threads[0], true))) {
		task_core_entry__free_unpacked(tc, NULL);
		return NULL;
	}
	return tc;
}

static void dump_rseq(const struct thread *thread, ThreadCoreEntry *tc)
{
	struct __ptrace_rseq_configuration conf;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, thread->tid, sizeof(conf), &conf) != sizeof(conf) || !conf.rseq_abi_pointer)
		return;
	tc->rseq_entry = xzalloc(sizeof(*tc->rseq_entry));
	rseq_entry__init(tc->rseq_entry);
	tc->rseq_entry->rseq_abi_pointer = conf.rseq_abi_pointer;
	tc->rseq_entry->rseq_abi_size = conf.rseq_abi_size;
	tc->rseq_entry->signature = conf.signature;
}

static int fill_thread_core(const struct dump *dump, const struct task *task, const struct thread *thread, ThreadCoreEntry *tc)
{
	char name[48];
	auto_free char *comm = NULL;
	void *robust_list;
	size_t robust_len;

	if (check_inside(task, thread) < 0)
		return -1;
	snprintf(name, sizeof(name), "task/%d/comm", thread->tid);
	comm = proc_read(task->live, name, NULL);
	if (!comm)
		return err_errno("thread %d: cannot read its name", thread->tid);
	comm[strcspn(comm, "\n")] = 0;
	tc->comm = xstrdup(comm);
	if (syscall(SYS_get_robust_list, thread->tid, &robust_list, &robust_len) < 0)
		return err_errno("thread %d: cannot read its list of robust futexes", thread->tid);
	tc->futex_rla = (uintptr_t)robust_list;
	tc->futex_rla_len = robust_len;
	tc->has_blk_sigset = true;
	tc->blk_sigset = thread->sigmask;
	tc->sas = signal_dump_altstack(thread);
	if (thread->inside.pdeath_sig) {
		tc->has_pdeath_sig = true;
		tc->pdeath_sig = thread->inside.pdeath_sig;
	}
	dump_rseq(thread, tc);
	seccomp_dump(thread, tc);
	cgroup_dump(dump, task, thread->tid, tc);
	if (sched_dump(thread, tc) < 0 || !(tc->signals_p = signal_dump_queue(thread, false)) || !(tc->creds = creds_dump(thread, thread->status)))
		return -1;
	return 0;
}

static int write_core(struct dump *dump, const struct task *task, const struct thread *thread)
{
	auto_img *img = img_create(dump->dirfd, IMG_CORE, thread->tid);
	CoreEntry *core = xzalloc(sizeof(*core));
	int result = -1;

	core_entry__init(core);
	core->mtype = CORE_ENTRY__MARCH__X86_64;
	core->thread_core = xzalloc(sizeof(*core->thread_core));
	thread_core_entry__init(core->thread_core);
	if (img && fill_thread_core(dump, task, thread, core->thread_core) == 0 && (core->thread_info = cpu_dump(thread)) &&
	    (thread->tid != task->pid || (core->tc = dump_task_core(task))))
		result = img_write(img, &core->base);
	core_entry__free_unpacked(core, NULL);
	return result;
}

static int write_zombie_core(struct dump *dump, const struct task *task)
{
	auto_img *img = img_create(dump->dirfd, IMG_CORE, task->pid);
	CoreEntry *core = xzalloc(sizeof(*core));
	int result = -1;

	core_entry__init(core);
	core->mtype = CORE_ENTRY__MARCH__X86_64;
	core->tc = new_task_core(task);
	core->tc->task_state = TASK_DEAD;
	core->tc->exit_code = task->exit_code;
	if (img)
		result = img_write(img, &core->base);
	core_entry__free_unpacked(core, NULL);
	return result;
}

static int write_exited_leader(struct dump *dump, const struct task *task)
{
	auto_img *img = img_create(dump->dirfd, IMG_CORE, task->pid);
	TaskCoreEntry *tc = img ? dump_task_core(task) : NULL;
	CoreEntry *core = tc ? exited_leader_core(task, tc) : NULL;
	int result;

	if (!core)
		return -1;
	cgroup_dump(dump, task, task->live, core->thread_core);
	result = img_write(img, &core->base);
	core_entry__free_unpacked(core, NULL);
	return result;
}

int core_dump(struct dump *dump, struct task *task)
{
	if (task->zombie)
		return write_zombie_core(dump, task);
	if (task->leader_exited && write_exited_leader(dump, task) < 0)
		return -1;
	for (size_t i = 0; i < task->thread_count; i++)
		if (write_core(dump, task, &task->threads[i]) < 0)
			return -1;
	return 0;
}
