/* SPDX-License-Identifier: MIT
 *
 * The order of a dump: freeze, look, ask from inside, write, then thaw or kill. Nothing is changed in the tree before everything that
 * could refuse has been looked at, and the inventory, which makes the directory a dump, comes last.
 */
#include "tree/dump.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/progress.h"
#include "common/util.h"
#include "image/image.h"
#include "images/pstree.pb-c.h"
#include "lazy/serve.h"
#include "pageserver/client.h"
#include "ptrace/parasite.h"
#include "ptrace/seize.h"
#include "resource/cgroup.h"
#include "resource/clocks.h"
#include "resource/cpuinfo.h"
#include "resource/fd_kind.h"
#include "resource/fd_table.h"
#include "resource/fs.h"
#include "resource/memfd.h"
#include "resource/mm.h"
#include "resource/namespace.h"
#include "resource/page_dedup.h"
#include "resource/page_writer.h"
#include "resource/pagemap.h"
#include "resource/regfile.h"
#include "resource/seccomp.h"
#include "resource/tty.h"
#include "resource/remap.h"
#include "resource/tcp.h"
#include "resource/vma.h"
#include "tree/core_dump.h"
#include "tree/dump_end.h"
#include "tree/dump_pidns.h"
#include "tree/foresee.h"
#include "tree/freeze.h"
#include "tree/read_ahead.h"
#include "tree/self_write.h"
#include "tree/snapshot.h"
#include "tree/track.h"


static bool pid_in_tree(const struct tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->tasks[i]->pid == pid)
			return true;
	return false;
}

/* Neither in the tree nor anywhere else: a restore makes a session or group of that number anew. */
static bool is_gone(const struct tree *tree, pid_t pid)
{
	return !pid_in_tree(tree, pid) && kill(pid, 0) < 0 && errno == ESRCH;
}

/* A session or group whose leader is outside and alive can be restored only into the caller's. */
static int check_sessions(struct dump *dump)
{
	for (size_t i = 0; i < dump->tree.count; i++) {
		const struct task *task = dump->tree.tasks[i];

		if (dump->request->shell_job)
			continue;
		if (!pid_in_tree(&dump->tree, task->sid) && !is_gone(&dump->tree, task->sid))
			return err_set(EINVAL,
				       "pid %d: the leader of its session, %d, is outside the tree: start it with setsid, or dump it as a shell job (--shell-job)",
				       task->pid, task->sid);
		if (!pid_in_tree(&dump->tree, task->pgid) && !is_gone(&dump->tree, task->pgid))
			return err_set(EINVAL, "pid %d: the leader of its process group, %d, is outside the tree: dump it as a shell job (--shell-job)",
				       task->pid, task->pgid);
	}
	return 0;
}

/* Everything that may refuse, without touching the tasks. */
static int look(struct dump *dump)
{
	if (check_sessions(dump) < 0)
		return -1;
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		/* Again: an execve of a set-user-ID program may have come before the freeze. */
		if (refuse_stranger(dump->request, task->pid) < 0)
			return -1;
		if (task->zombie)
			continue;
		if (namespace_check(task) < 0 || clocks_check(dump, task) < 0 || core_check(task) < 0 || shared_tables_collect(task) < 0 || vma_collect(dump, task) < 0 ||
		    regfile_dump_link(dump, task, "exe", &task->exe_file_id) < 0 || fs_dump(dump, task) < 0)
			return -1;
	}
	return 0;
}

static int look_at_all(struct dump *dump)
{
	int result;

	read_ahead_start(&dump->tree);
	result = look(dump);
	read_ahead_end();
	return result;
}

static bool files_dumped(const struct dump *dump, size_t before, uint32_t files_id)
{
	for (size_t i = 0; i < before; i++)
		if (dump->tree.tasks[i]->files_id == files_id)
			return true;
	return false;
}

static int dump_files(struct dump *dump)
{
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		if (task->zombie || files_dumped(dump, i, task->files_id))
			continue;
		if (fd_table_dump(dump, task) < 0)
			return -1;
	}
	return fd_kinds_dump_end(dump);
}

static int dump_tasks(struct dump *dump)
{
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		if (!task->zombie && (parasite_ask(task) < 0 || mm_dump(dump, task) < 0 || ids_dump(dump, task) < 0))
			return -1;
		if (core_dump(dump, task) < 0)
			return -1;
	}
	return 0;
}

static bool wants_copies(const struct request *request)
{
	/* Whoever waits for post-dump may count on the tree standing still then: criu(8), --action-script. */
	return request->leave_running && !request->leave_stopped && !request->lazy_pages && request->snapshot != SNAPSHOT_FREEZE &&
	       (request->snapshot == SNAPSHOT_FORK || !request->notify);
}

/* Within the freeze: all memory of which there is no copy. */
static int dump_memory(struct dump *dump)
{
	uint64_t start = now_us();

	progress_phase("memory");
	img_write_behind_wake();
	if (memfd_dump_memory(dump) < 0)
		return -1;
	track_arm(dump);
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		/* A copy does not tell what was written. */
		if (!task->zombie && task->uffd >= 0) {
			if (pagemap_scan(task, task->live, track_armed(dump)) < 0)
				return -1;
			task->scanned = true;
		}
	}
	if (wants_copies(dump->request))
		snapshot_take(dump);
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];
		struct page_source from = { .pid = task->live, .fd = -1, .mem_fd = task->mem_fd };
		int failed;

		if (task->zombie || task->copy_pid || task->all_kept)
			continue;
		if (!task->scanned && pagemap_scan(task, task->live, false) < 0)
			return -1;
		self_write_start(dump, task);
		from.self = task->writer;
		if (task->sharer) {
			from.blank = task->sharer->scratch;
			from.blank_end = task->sharer->scratch + task->sharer->scratch_size;
		}
		failed = pagemap_dump(dump, task, &from) < 0;
		if (self_write_end(task) < 0 || failed)
			return -1;
	}
	dump->stats.memdump_us = dump->stats.memwrite_us = now_us() - start;
	return 0;
}

/* While the tree runs: the memory of which there are copies. */
static int dump_copies(struct dump *dump)
{
	uint64_t start = now_us();

	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];
		/* process_vm_readv(2) would make the copy a page of its own of each that is shared. */
		struct page_source from = { .fd = -1, .mem_fd = task->copy_mem };
		int failed;

		if (!task->copy_pid && !task->all_kept)
			continue;
		failed = snapshot_scan(task) < 0;
		if (!failed) {
			self_write_start(dump, task);
			from.self = task->writer;
			failed = pagemap_dump(dump, task, &from) < 0;
		}
		if (self_write_end(task) < 0 || failed)
			return err_context("the dump of pid %d, which runs on", dump->request->pid);
	}
	dump->stats.memdump_us += now_us() - start;
	dump->stats.memwrite_us = dump->stats.memdump_us;
	return 0;
}

static int dump_pstree(struct dump *dump)
{
	auto_img *img = img_create(dump->dirfd, IMG_PSTREE, 0);

	if (!img)
		return -1;
	for (size_t i = 0; i < dump->tree.count; i++) {
		const struct task *task = dump->tree.tasks[i];
		PstreeEntry e = PSTREE_ENTRY__INIT;
		auto_free uint32_t *threads = xzalloc((task->thread_count + 2) * sizeof(*threads));

		e.pid = task->pid;
		e.ppid = task->parent ? task->parent->pid : 0;
		e.pgid = task->pgid;
		e.sid = task->sid;
		e.threads = threads;
		if (task->leader_exited)
			threads[e.n_threads++] = task->pid;
		for (size_t j = 0; j < task->thread_count; j++)
			threads[e.n_threads++] = task->threads[j].tid;
		if (task->zombie)
			threads[e.n_threads++] = task->pid;
		if (img_write(img, &e.base) < 0)
			return -1;
	}
	return 0;
}

static int dump_frozen(struct dump *dump)
{
	track_match(dump);
	dump->files = img_create(dump->dirfd, IMG_FILES, 0);
	if (dump->request->has_cpu_cap && dump->request->cpu_cap && cpuinfo_write(dump->dirfd) < 0)
		return -1;
	/* The clocks before the timers, which are to be right by them. */
	if (!dump->files || look_at_all(dump) < 0 || clocks_dump(dump) < 0 || dump_files(dump) < 0 || dump_tasks(dump) < 0 || dump_memory(dump) < 0)
		return -1;
	if (dump_pstree(dump) < 0 || seccomp_dump_end(dump) < 0 || cgroup_dump_end(dump) < 0)
		return -1;
	return 0;
}

/* What the files of resource/ remember while one dump runs. */
static void forget(struct dump *dump, bool failed)
{
	remap_dump_end(failed);
	if (img_close(dump->files) < 0)
		pr_warn("files.img was not closed");
	dump->files = NULL;
	fd_table_dump_end();
	fd_kinds_forget();
	regfile_dump_end();
	seccomp_forget();
	tty_dump_end();
	cgroup_forget();
	shared_tables_end();
	free_tree(&dump->tree);
}

/* The last chance to say no. */
static int agreed(const struct request *request)
{
	if (request_notify(request, "post-dump", request->pid) < 0)
		return -1;
	if (request->client_gone && request->client_gone())
		return err_set(ECONNABORTED, "whoever asked for the dump of pid %d is gone: it runs on", request->pid);
	return 0;
}

/* lazy: socket at which the memory left out is served, -1: none is. */
static int run(const struct request *request, int lazy)
{
	struct dump dump = { .request = request, .dirfd = request->images_fd, .parent_fd = -1 };
	uint64_t start = now_us(), frozen;
	int failed;

	if (!request->entered && foresee_dump(request) < 0)
		return -1;
	namespace_ids_of_self(&dump.namespaces);
	img_keep_created();
	/* An older dump in this directory ends here: its inventory may not stand beside new images. */
	if (unlinkat(dump.dirfd, "inventory.img", 0) < 0 && errno != ENOENT)
		return err_errno("cannot replace the dump in the images directory");
	pr_info("dumping pid %d", request->pid);
	progress_phase("freezing");
	if (request_notify(request, "pre-dump", request->pid) < 0 || ps_client_begin(request) < 0)
		return -1;
	if (track_begin(&dump) < 0) {
		ps_client_drop();
		track_end(&dump, false);
		img_remove_created();
		return -1;
	}
	if (wants_copies(request))
		snapshot_look(&dump);
	tick_start();
	if (freeze_tree(&dump.tree, request) < 0) {
		tick_stop();
		ps_client_drop();
		track_end(&dump, false);
		free_tree(&dump.tree);
		img_remove_created();
		return -1;
	}
	frozen = now_us();
	dump.stats.freezing_us = frozen - start;
	progress_phase("collecting");
	img_write_behind();
	failed = request_notify(request, "query-ext-files", 0) < 0 || dump_frozen(&dump) < 0;
	if (!failed && dump.files) {
		failed = img_close(dump.files) < 0;
		dump.files = NULL;
	}
	if (!dump.copies && img_write_behind_end() < 0)
		failed = true;
	if (!failed && !dump.copies)
		failed = ps_client_end() < 0;
	if (failed || !dump.copies)
		ps_client_drop();
	if (!failed && !dump.copies)
		failed = agreed(request) < 0;
	if (!failed)
		failed = tcp_dump_streams(&dump) < 0;
	if (!failed && !dump.copies)
		failed = dump_write_inventory(&dump) < 0;
	if (!failed && lazy >= 0) {
		progress_phase("lazy pages");
		failed = lazy_dump_serve(&dump, lazy) < 0;
	}
	if (failed || request->leave_running || request->leave_stopped) {
		tcp_dump_release(false);
		for (size_t i = 0; i < dump.tree.count && !failed && request->leave_stopped; i++)
			kill(dump.tree.tasks[i]->pid, SIGSTOP);
		thaw_tree(&dump.tree);
	} else {
		kill_tree(&dump.tree);
		tcp_dump_release(true);
	}
	dump.stats.frozen_us = now_us() - frozen;
	if (!failed && dump.copies)
		failed = dump_copies(&dump) < 0 || ps_client_end() < 0;
	ps_client_drop();
	snapshot_end(&dump);
	if (dump.copies && img_write_behind_end() < 0)
		failed = true;
	if (!failed && dump.copies)
		failed = agreed(request) < 0 || dump_write_inventory(&dump) < 0;
	tick_stop();
	track_end(&dump, !failed && (request->leave_running || request->leave_stopped));
	if (!failed)
		dump_write_stats(&dump);
	/* What scripts look for in criu's log. */
	if (!failed)
		pr_info("Dumping finished successfully");
	pr_info("%s: frozen for %llu us, %llu pages written, %llu in the dump before", failed ? "failed" : "done",
		(unsigned long long)dump.stats.frozen_us, (unsigned long long)dump.stats.pages_written,
		(unsigned long long)dump.stats.pages_skipped_parent);
	if (!failed && request->auto_dedup && page_dedup(dump.dirfd) < 0) {
		pr_warn("the space of pages that this dump holds anew was not given back: %s", err_text());
		err_clear();
	}
	forget(&dump, failed);
	/* Only now: closing an image may be what makes its file. */
	if (failed) {
		img_remove_created();
		unlinkat(dump.dirfd, "inventory.img", 0);
	}
	return failed ? -1 : 0;
}

int dump_run(const struct request *request, struct result *result)
{
	auto_fd lazy = -1;
	int failed;

	if (dump_is_in_pidns(request->pid))
		return dump_in_pidns(request, result);
	if (request->lazy_pages && (lazy = lazy_dump_listen(request)) < 0)
		return -1;
	progress_start(request->progress_fd);
	failed = run(request, lazy);
	progress_end(failed);
	return failed;
}
