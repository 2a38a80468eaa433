/* SPDX-License-Identifier: MIT */
#include "tree/pre_dump.h"

#include <errno.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/progress.h"
#include "common/util.h"
#include "image/image.h"
#include "pageserver/client.h"
#include "ptrace/seize.h"
#include "resource/clocks.h"
#include "resource/page_writer.h"
#include "resource/pagemap.h"
#include "resource/seccomp.h"
#include "resource/namespace.h"
#include "resource/vma.h"
#include "tree/core_dump.h"
#include "tree/dump.h"
#include "tree/dump_end.h"
#include "tree/dump_pidns.h"
#include "tree/freeze.h"
#include "tree/track.h"

static int look(struct dump *dump)
{
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		if (refuse_stranger(dump->request, task->pid) < 0)
			return -1;
		if (!task->zombie && (namespace_check(task) < 0 || clocks_check(dump, task) < 0 || core_check(task) < 0 || vma_collect(dump, task) < 0))
			return -1;
	}
	return 0;
}

static int scan(struct dump *dump)
{
	track_match(dump);
	if (look(dump) < 0)
		return -1;
	track_arm(dump);
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		if (!task->zombie && pagemap_scan(task, task->live, track_armed(dump)) < 0)
			return -1;
	}
	return 0;
}

static int write_memory(struct dump *dump)
{
	uint64_t start = now_us();

	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];
		const struct page_source from = { .pid = task->live, .fd = -1, .mem_fd = task->mem_fd, .running = true };

		if (!task->zombie && pagemap_dump(dump, task, &from) < 0)
			return -1;
	}
	dump->stats.memdump_us = dump->stats.memwrite_us = now_us() - start;
	return 0;
}

static int run(const struct request *request)
{
	struct dump dump = { .request = request, .dirfd = request->images_fd, .parent_fd = -1 };
	uint64_t start = now_us(), frozen;
	int failed;

	namespace_ids_of_self(&dump.namespaces);
	img_keep_created();
	if (unlinkat(dump.dirfd, "inventory.img", 0) < 0 && errno != ENOENT)
		return err_errno("cannot replace the dump in the images directory");
	pr_info("pre-dumping pid %d", request->pid);
	failed = request_notify(request, "pre-dump", request->pid) < 0 || ps_client_begin(request) < 0 || track_begin(&dump) < 0;
	if (!failed) {
		progress_phase("freezing");
		tick_start();
		failed = freeze_tree(&dump.tree, request) < 0;
		frozen = now_us();
		dump.stats.freezing_us = frozen - start;
		progress_phase("collecting");
		if (!failed) {
			failed = scan(&dump) < 0;
			thaw_tree(&dump.tree);
		}
		tick_stop();
		dump.stats.frozen_us = now_us() - frozen;
	}
	progress_phase("memory");
	if (!failed)
		failed = write_memory(&dump) < 0 || ps_client_end() < 0 || dump_write_inventory(&dump) < 0;
	if (!failed)
		dump_write_stats(&dump);
	ps_client_drop();
	track_end(&dump, !failed);
	pr_info("%s: frozen for %llu us, %llu pages written, %llu in the dump before", failed ? "failed" : "done",
		(unsigned long long)dump.stats.frozen_us, (unsigned long long)dump.stats.pages_written,
		(unsigned long long)dump.stats.pages_skipped_parent);
	seccomp_forget();
	free_tree(&dump.tree);
	if (failed) {
		img_remove_created();
		unlinkat(dump.dirfd, "inventory.img", 0);
	}
	return failed ? -1 : 0;
}

int pre_dump_run(const struct request *request)
{
	struct result result = { 0 };
	int failed;

	if (dump_is_in_pidns(request->pid))
		return dump_in_pidns(request, &result);
	progress_start(request->progress_fd);
	failed = run(request);
	progress_end(failed);
	return failed;
}
