/* SPDX-License-Identifier: MIT */
#include "tree/self_write.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "ptrace/parasite.h"
#include "ptrace/seize.h"
#include "resource/self_writer.h"
#include "tree/dump.h"
#include "tree/memory_room.h"
#include "tree/snapshot.h"

/* Less is read sooner than a process is made. */
#define WORTH_BYTES (4UL << 20)
/* That must be left in the task's control group when all has been written. */
#define MARGIN_BYTES (64UL << 20)

static uint64_t bytes_to_write(const struct task *task)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < task->ranges.count; i++)
		bytes += task->ranges.list[i].unwritten ? 0 : task->ranges.list[i].end - task->ranges.list[i].start;
	return bytes;
}

/* The page cache that a process fills counts for its control group, and may not be the end of somebody else in there. */
static const char *charge_objection(const struct task *task, uint64_t bytes)
{
	uint64_t room;

	if (memory_same_cgroup(task->live, getpid()))
		return NULL;
	room = memory_cgroup_room(task->live);
	return room != UINT64_MAX && room < bytes + MARGIN_BYTES ? "its control group leaves no memory for the page cache" : NULL;
}

/* A limit of the task's, which its copies have, too: proc_pid_limits(5). */
static const char *limit_objection(pid_t pid)
{
	static const char name[] = "Max file size";
	auto_free char *text = proc_read(pid, "limits", NULL);
	const char *line = text ? strstr(text, name) : NULL;

	if (!line)
		return "its limit of the size of files cannot be seen";
	line += strlen(name);
	return strncmp(line + strspn(line, " "), "unlimited", 9) ? "it has a limit of the size of files" : NULL;
}

/* Returns 0 or -1 with the error set. */
static int start(struct task *task)
{
	struct parasite_copy *sharer;
	pid_t pid = task->copy_pid;
	int mem_fd = task->copy_mem;
	uint64_t ready = task->copy_ready;

	if (!pid) {
		sharer = xzalloc(sizeof(*sharer));
		if (parasite_copy(task, true, sharer) < 0) {
			free(sharer);
			return -1;
		}
		task->sharer = sharer;
		pid = sharer->pid;
		ready = sharer->ready;
		mem_fd = task->mem_fd;
		if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
			return err_errno("pid %d: cannot trace the process that writes its memory (pid %d)", task->pid, pid);
	}
	task->writer = self_writer_open(pid, mem_fd, ready);
	return task->writer ? 0 : -1;
}

void self_write_start(struct dump *dump, struct task *task)
{
	uint64_t bytes = bytes_to_write(task);
	const char *why;

	/* Lazy dumps leave most of it where it is. */
	if (dump->request->use_page_server || dump->request->lazy_pages || task->all_kept || bytes < WORTH_BYTES)
		return;
	why = limit_objection(task->live);
	if (!why)
		why = charge_objection(task, bytes);
	if (!why && !task->copy_pid) {
		snapshot_look(dump);
		why = snapshot_no_process(dump, task);
	}
	if (!why && start(task) == 0)
		return;
	pr_info("pid %d: its memory is read by pcr: %s", task->pid, why ? why : err_text());
	if (!why)
		err_clear();
	if (!why && self_write_end(task) < 0) {
		pr_warn("%s", err_text());
		err_clear();
	}
}

int self_write_end(struct task *task)
{
	int status, result;

	self_writer_close(task->writer);
	task->writer = NULL;
	if (!task->sharer)
		return 0;
	kill(task->sharer->pid, SIGKILL);
	while (wait_thread(task->sharer->pid, &status) == 0 || errno == EINTR)
		;
	result = parasite_copy_leave(task->sharer);
	free(task->sharer);
	task->sharer = NULL;
	return result;
}
