/* SPDX-License-Identifier: MIT */
#include "tree/exited_leader.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/cpu.h"
#include "resource/creds.h"
#include "resource/sched.h"
#include "resource/vma.h"
#include "tree/task.h"

#define CHUNK (64 * 1024UL)

static bool is_syscall(const unsigned char *code)
{
	return code[0] == 0x0f && code[1] == 0x05;
}

/* The address of a system call instruction in code that comes from a file, 0 for none. The vDSO is another one after a restore on another
 * kernel. */
static uint64_t find_syscall(const struct task *task)
{
	auto_free unsigned char *code = xzalloc(CHUNK);

	for (size_t i = 0; i < task->vma_count; i++) {
		const struct vma *v = &task->vmas[i];

		if (!(v->prot & PROT_EXEC) || v->kind != VMA_FILE)
			continue;
		for (uint64_t at = v->start; at < v->end; at += CHUNK) {
			ssize_t n = pread(task->mem_fd, code, v->end - at < CHUNK ? v->end - at : CHUNK, at);

			for (ssize_t j = 0; j + 1 < n; j++)
				if (is_syscall(code + j))
					return at + j;
		}
	}
	return 0;
}

static ThreadCoreEntry *thread_part(const struct task *task)
{
	const struct thread *live = &task->threads[0];
	ThreadCoreEntry *e = xzalloc(sizeof(*e));
	auto_free char *name = xasprintf("task/%d/status", task->pid), *status = proc_read(task->pid, name, NULL);

	thread_core_entry__init(e);
	e->comm = xstrdup(task->comm);
	/* No signal of the process's may be this thread's. */
	e->has_blk_sigset = true;
	e->blk_sigset = ~0ULL;
	e->sas = xzalloc(sizeof(*e->sas));
	thread_sas_entry__init(e->sas);
	e->signals_p = xzalloc(sizeof(*e->signals_p));
	signal_queue_entry__init(e->signals_p);
	/* pcr's restore asks the first thread for what is the process's. */
	if (!(e->creds = creds_dump(live, status ? status : live->status)) || sched_dump(live, e) < 0) {
		thread_core_entry__free_unpacked(e, NULL);
		return NULL;
	}
	return e;
}

CoreEntry *exited_leader_core(const struct task *task, TaskCoreEntry *task_core)
{
	struct thread leader = task->threads[0];
	CoreEntry *core = xzalloc(sizeof(*core));
	uint64_t code = find_syscall(task);

	core_entry__init(core);
	core->mtype = CORE_ENTRY__MARCH__X86_64;
	core->tc = task_core;
	leader.tid = task->pid;
	leader.again = -1;
	memset(&leader.inside, 0, sizeof(leader.inside));
	leader.regs.rip = code;
	leader.regs.rax = SYS_exit;
	leader.regs.orig_rax = -1;
	/* wait(2) status: of one that ended by exit(2); by a signal all threads end. */
	leader.regs.rdi = task->exit_code >> 8 & 0xff;
	if (!code) {
		err_set(ENOTSUP, "pid %d: its first thread has ended, and there is no code in it with which a restored one could", task->pid);
	} else if ((core->thread_info = cpu_dump(&leader)) && (core->thread_core = thread_part(task))) {
		return core;
	}
	core_entry__free_unpacked(core, NULL);
	return NULL;
}
