/* SPDX-License-Identifier: MIT */
#include "tree/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "ptrace/parasite.h"
#include "ptrace/seize.h"
#include "resource/vma.h"
#include "tree/dump.h"
#include "tree/memory_room.h"
#include "tree/self_write.h"
#include "tree/track.h"

/* Less is written sooner than copied. */
#define WORTH_BYTES (8UL << 20)
/* What is read into memory within the freeze, at most. */
#define KEPT_MAX (64UL << 20)
/* Memory that must stay free when all that can be copied has been. */
#define MARGIN_BYTES (64UL << 20)

/* What a copy may come to cost: anonymous memory, also that swapped out (proc_pid_status(5)). */
uint64_t snapshot_private_bytes(const struct task *task)
{
	const char *present = status_field(task->status, "RssAnon"), *swapped = status_field(task->status, "VmSwap");

	return ((present ? strtoull(present, NULL, 10) : 0) + (swapped ? strtoull(swapped, NULL, 10) : 0)) << 10;
}

/* What there is to write: the rest is in the dump before. */
static uint64_t bytes_to_write(const struct task *task)
{
	uint64_t bytes = 0;

	if (!task->scanned || !task->in_parent)
		return snapshot_private_bytes(task);
	for (size_t i = 0; i < task->ranges.count; i++)
		bytes += task->ranges.list[i].unwritten ? 0 : task->ranges.list[i].end - task->ranges.list[i].start;
	return bytes;
}

/* Mappings that the copy has not, or empty. */
static bool is_lost(const struct vma *v)
{
	return v->madvise & (1ULL << MADV_DONTFORK | 1ULL << MADV_WIPEONFORK) && !(v->flags & MAP_SHARED);
}

/* And those that it has otherwise. */
static bool is_uncopied(const struct vma *v)
{
	return v->kind == VMA_VDSO || v->kind == VMA_AIO || is_lost(v);
}

static uint64_t lost_bytes(const struct task *task)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < task->vma_count; i++)
		bytes += is_lost(&task->vmas[i]) ? task->vmas[i].end - task->vmas[i].start : 0;
	return bytes;
}

static bool sigchld_pending(const struct task *task)
{
	const uint64_t bit = 1ULL << (SIGCHLD - 1);
	const char *shared = status_field(task->status, "ShdPnd");

	if (!shared || strtoull(shared, NULL, 16) & bit)
		return true;
	for (size_t i = 0; i < task->thread_count; i++) {
		const char *own = status_field(task->threads[i].status, "SigPnd");

		if (!own || strtoull(own, NULL, 16) & bit)
			return true;
	}
	return false;
}

static bool has_seccomp(const struct task *task)
{
	const char *mode = status_field(task->status, "Seccomp");

	return !mode || atoi(mode) != SECCOMP_MODE_DISABLED;
}

/* An orphan goes to the nearest of those above that wants orphans; none of the tree may get one. */
static bool has_subreaper(const struct task *task)
{
	for (const struct task *t = task; t; t = t->parent)
		if (t->inside.subreaper)
			return true;
	return false;
}

static bool has_huge_pages(const struct task *task)
{
	for (size_t i = 0; i < task->vma_count; i++)
		if (task->vmas[i].huge && !(task->vmas[i].flags & MAP_SHARED))
			return true;
	return false;
}

static bool same_pid_namespace(pid_t pid)
{
	char ours[64], theirs[64];

	return proc_readlink(getpid(), "ns/pid", ours, sizeof(ours)) > 0 && proc_readlink(pid, "ns/pid", theirs, sizeof(theirs)) > 0 &&
	       !strcmp(ours, theirs);
}

/* Seconds after which whoever gets the orphans would have taken away a copy that ended. */
#define PATIENCE_S 60

/* A copy of an earlier dump that ended and that nobody took away. uptime: in ticks. */
static bool is_left_copy(pid_t pid, uint64_t uptime)
{
	auto_free char *stat = proc_read(pid, "stat", NULL);
	const char *end = stat ? strrchr(stat, ')') : NULL;
	uint64_t start;

	return end && strstr(stat, "(pcr-copy)") && !strncmp(end, ") Z", 3) &&
	       sscanf(end + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64, &start) == 1 &&
	       start + PATIENCE_S * sysconf(_SC_CLK_TCK) < uptime;
}

/* Looks at the children of all processes above the tree: they or init get the copies. */
static bool orphans_stay(pid_t pid)
{
	struct timespec t;
	uint64_t uptime;

	clock_gettime(CLOCK_BOOTTIME, &t);
	uptime = t.tv_sec * sysconf(_SC_CLK_TCK);
	for (int depth = 0; pid > 0 && depth < 64; depth++) {
		auto_free char *status = proc_read(pid, "status", NULL);
		const char *ppid = status ? status_field(status, "PPid") : NULL;
		auto_free char *children = NULL;
		char name[48], *end;

		pid = ppid ? atoi(ppid) : 0;
		snprintf(name, sizeof(name), "task/%d/children", pid);
		children = pid ? proc_read(pid, name, NULL) : NULL;
		for (char *p = children; p && *p; p = end) {
			long child = strtol(p, &end, 10);

			if (end == p)
				break;
			if (is_left_copy(child, uptime))
				return true;
		}
	}
	return false;
}

const char *snapshot_no_process(const struct dump *dump, const struct task *task)
{
	if (dump->orphans_stay)
		return "ended copies of earlier dumps are still there: whoever adopts orphans here (pid 1?) does not wait for them";
	if (has_seccomp(task))
		return "it has seccomp filters";
	if (sigchld_pending(task))
		return "a SIGCHLD waits for it";
	if (has_subreaper(task))
		return "it or a process above it in the tree is a subreaper";
	if (!same_pid_namespace(task->pid))
		return "it lives in another pid namespace";
	return NULL;
}

/* Why the task's memory may not be copied; NULL: it may. */
static const char *objection(const struct task *task)
{
	if (has_huge_pages(task))
		return "it has private huge pages";
	if (lost_bytes(task) > KEPT_MAX)
		return "much of its memory is not copied by fork (MADV_DONTFORK, MADV_WIPEONFORK)";
	return NULL;
}

/* --- one copy --- */

static int keep_pages(struct task *task, uint64_t start, uint64_t end)
{
	struct kept_pages *k = array_push(&task->kept, &task->kept_count, &task->kept_room, sizeof(*k));

	*k = (struct kept_pages){ start, xrealloc(NULL, end - start) };
	for (uint64_t at = start; at < end;) {
		struct iovec local = { k->data + (at - start), end - at }, remote = { (void *)at, end - at };
		ssize_t n = process_vm_readv(task->live, &local, 1, &remote, 1, 0);

		/* What is not PROT_READ only the tracer's way reads. */
		if (n <= 0)
			n = pread(task->mem_fd, k->data + (at - start), PAGE, at);
		if (n <= 0)
			return err_errno("pid %d: cannot read its memory at 0x%" PRIx64, task->pid, at);
		at += n;
	}
	return 0;
}

/* Reads what the copy will not have. */
static int keep(struct dump *dump, struct task *task)
{
	if (!task->scanned && lost_bytes(task)) {
		if (pagemap_scan(task, task->live, track_armed(dump)) < 0)
			return -1;
		task->scanned = true;
	}
	if (!task->scanned) {
		for (size_t i = 0; i < task->vma_count; i++)
			if (is_uncopied(&task->vmas[i]) && keep_pages(task, task->vmas[i].start, task->vmas[i].end) < 0)
				return -1;
		return 0;
	}
	for (size_t i = 0; i < task->ranges.count; i++) {
		const struct page_range *r = &task->ranges.list[i];

		if (is_uncopied(&task->vmas[r->vma]) && keep_pages(task, r->start, r->end) < 0)
			return -1;
	}
	return 0;
}

/* Reads all that there is to write: of a small task that is done sooner than making files, let alone a copy. *budget: bytes that may be
 * read so, less what was. Returns 1, 0 when it is too much, -1 with the error set. */
static int keep_all(struct dump *dump, struct task *task, uint64_t *budget)
{
	uint64_t bytes = 0;

	if (snapshot_private_bytes(task) > *budget)
		return 0;
	if (!task->scanned && pagemap_scan(task, task->live, track_armed(dump)) < 0)
		return -1;
	task->scanned = true;
	for (size_t i = 0; i < task->ranges.count; i++)
		bytes += task->ranges.list[i].end - task->ranges.list[i].start;
	if (bytes > *budget)
		return 0;
	for (size_t i = 0; i < task->ranges.count; i++)
		if (keep_pages(task, task->ranges.list[i].start, task->ranges.list[i].end) < 0)
			return -1;
	*budget -= bytes;
	task->all_kept = true;
	return 1;
}

int snapshot_scan(struct task *task)
{
	size_t k = 0;

	if (!task->scanned && pagemap_scan(task, task->copy_pid, false) < 0)
		return -1;
	for (size_t i = 0; i < task->ranges.count; i++) {
		struct page_range *r = &task->ranges.list[i];

		while (k < task->kept_count && task->kept[k].start < r->start)
			k++;
		if (k < task->kept_count && task->kept[k].start == r->start)
			r->kept = task->kept[k].data;
	}
	return 0;
}

static void forget(struct task *task)
{
	for (size_t i = 0; i < task->ranges.count; i++)
		task->ranges.list[i].kept = NULL;
	for (size_t i = 0; i < task->kept_count; i++)
		free(task->kept[i].data);
	free(task->kept);
	task->kept = NULL;
	task->kept_count = task->kept_room = 0;
	if (task->copy_mem >= 0)
		close(task->copy_mem);
	task->copy_mem = -1;
}

/* Traces the copy, takes out of it what was put into the task to make it, and lets it wait for requests. */
static int hold(struct task *task, const struct parasite_copy *copy)
{
	auto_free char *zeros = xzalloc(copy->scratch_size);
	auto_fd score = -1;

	if (ptrace(PTRACE_SEIZE, copy->pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, copy->pid, 0, 0) < 0 || wait_stopped(copy->pid, NULL, 0) < 0)
		return err_errno("pid %d: the copy of its memory (pid %d) cannot be stopped", task->pid, copy->pid);
	task->copy_mem = proc_open(copy->pid, O_RDWR, "mem");
	if (task->copy_mem < 0 || pwrite(task->copy_mem, zeros, copy->scratch_size, copy->scratch) != (ssize_t)copy->scratch_size)
		return err_errno("pid %d: the copy of its memory (pid %d) cannot be read", task->pid, copy->pid);
	score = proc_open(copy->pid, O_WRONLY, "oom_score_adj");
	if (score >= 0 && write_all(score, "1000", 4) < 0)
		pr_debug("pid %d: oom_score_adj of the copy stays as it is", task->pid);
	if (ptrace(PTRACE_CONT, copy->pid, 0, 0) < 0)
		return err_errno("pid %d: the copy of its memory (pid %d) is gone", task->pid, copy->pid);
	return 0;
}

static int copy(struct dump *dump, struct task *task)
{
	struct parasite_copy made;

	if (keep(dump, task) < 0 || parasite_copy(task, false, &made) < 0)
		return -1;
	task->copy_pid = made.pid;
	task->copy_ready = made.ready;
	return hold(task, &made);
}

static void start_to_end(struct task *task)
{
	if (task->copy_pid)
		kill(task->copy_pid, SIGKILL);
}

static void end(struct task *task)
{
	int status;

	while (task->copy_pid && (wait_thread(task->copy_pid, &status) == 0 || errno == EINTR))
		;
	task->copy_pid = 0;
	forget(task);
}

/* --- all --- */

/* What is in the way of a copy; NULL: nothing. */
static const char *obstacle(const struct dump *dump, const struct task *task, uint64_t room)
{
	const char *why;

	if (room < snapshot_private_bytes(task) + MARGIN_BYTES)
		return "there is not enough memory for a copy";
	why = snapshot_no_process(dump, task);
	return why ? why : objection(task);
}

/* Returns whether the task's memory can be written after the thaw. */
static bool take(struct dump *dump, struct task *task, uint64_t least, uint64_t *room, uint64_t *budget)
{
	const char *why = bytes_to_write(task) < least ? "" : obstacle(dump, task, *room);

	if (!why && copy(dump, task) == 0) {
		*room -= snapshot_private_bytes(task);
		return true;
	}
	if (!why || *why)
		pr_info("pid %d: no copy of its memory is made: %s", task->pid, why ? why : err_text());
	if (!why) {
		err_clear();
		start_to_end(task);
		end(task);
	}
	if (keep_all(dump, task, budget) == 1)
		return true;
	if (err_code()) {
		pr_info("%s", err_text());
		err_clear();
		end(task);
	}
	if (dump->request->snapshot == SNAPSHOT_FORK)
		pr_warn("pid %d stands still while its memory is written%s%s", task->pid, why && *why ? ": " : "", why ? why : "");
	return false;
}

void snapshot_take(struct dump *dump)
{
	uint64_t least = dump->request->snapshot == SNAPSHOT_FORK ? 0 : WORTH_BYTES, room = memory_available(), have, budget;

	have = memory_cgroup_room(dump->tree.tasks[0]->live);
	if (have < room)
		room = have;
	budget = room > 4 * KEPT_MAX ? KEPT_MAX : room / 4;
	for (size_t i = 0; i < dump->tree.count; i++)
		if (!dump->tree.tasks[i]->zombie)
			dump->copies += take(dump, dump->tree.tasks[i], least, &room, &budget);
}

void snapshot_look(struct dump *dump)
{
	if (!dump->orphans_looked)
		dump->orphans_stay = orphans_stay(dump->request->pid);
	dump->orphans_looked = true;
}

void snapshot_end(struct dump *dump)
{
	for (size_t i = 0; i < dump->tree.count; i++)
		start_to_end(dump->tree.tasks[i]);
	for (size_t i = 0; i < dump->tree.count; i++)
		end(dump->tree.tasks[i]);
}
