/* SPDX-License-Identifier: MIT
 *
 * pcr: dumps and restores process trees in CRIU's image format. This file: verbs and exit status.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/background.h"
#include "cli/check.h"
#include "cli/check_features.h"
#include "cli/open_paths.h"
#include "cli/options.h"
#include "cli/pidfile.h"
#include "cli/ready.h"
#include "cli/service.h"
#include "cli/show_stats.h"
#include "cli/supervise.h"
#include "cli/swrk.h"
#include "cli/version.h"
#include "common/err.h"
#include "common/log.h"
#include "common/progress.h"
#include "common/util.h"
#include "lazy/daemon.h"
#include "pageserver/server.h"
#include "resource/cpuinfo.h"
#include "resource/page_dedup.h"
#include "tree/dump.h"
#include "tree/pre_dump.h"
#include "tree/restore.h"

/* For a person who waits; not for one who reads the log go by, or wants silence (-v0). */
static void show_bar(const struct command *c)
{
	if (c->request.log_level > LOG_MSG && (log_fd() != STDERR_FILENO || c->request.log_level < LOG_INFO))
		progress_bar(c->words[0]);
}

static int run_dump(struct command *c)
{
	struct result result = { 0 };

	if (!c->request.pid)
		return err_set(EINVAL, "dump needs -t PID");
	if (paths_open(c) < 0)
		return -1;
	show_bar(c);
	if (dump_run(&c->request, &result) < 0)
		return -1;
	if (c->request.display_stats)
		show_dump_stats(c->request.work_fd, stdout);
	return 0;
}

static int run_pre_dump(struct command *c)
{
	c->request.pre_dump = true;
	if (!c->request.pid)
		return err_set(EINVAL, "pre-dump needs -t PID");
	if (paths_open(c) < 0)
		return -1;
	show_bar(c);
	if (pre_dump_run(&c->request) < 0)
		return -1;
	if (c->request.display_stats)
		show_dump_stats(c->request.work_fd, stdout);
	return 0;
}

static int run_dedup(struct command *c)
{
	return paths_open(c) < 0 ? -1 : page_dedup_chain(c->request.images_fd);
}

static int run_restore(struct command *c)
{
	struct result result = { 0 };

	if (c->exec_cmd) {
		if (c->word_count < 2)
			return err_set(EINVAL, "--exec-cmd needs a command: pcr restore --exec-cmd ... -- PROGRAM ARGUMENT...");
		c->request.exec_cmd = c->words + 1;
		c->request.restore_detached = true;
	}
	if (paths_open(c) < 0)
		return -1;
	show_bar(c);
	if (restore_run(&c->request, &result) < 0)
		return -1;
	if (c->request.display_stats)
		show_restore_stats(c->request.work_fd, stdout);
	if (!c->request.exec_cmd)
		return 0;
	execvp(c->request.exec_cmd[0], c->request.exec_cmd);
	return err_errno("the tree is restored, but %s cannot be executed", c->request.exec_cmd[0]);
}

static int run_check(struct command *c)
{
	if (c->check.feature)
		return check_feature(stdout, c->check.feature);
	return c->check.json ? check_json(stdout) : check_run(stdout);
}

static int run_swrk(struct command *c)
{
	char *end;
	long fd;

	if (c->word_count != 2 || (fd = strtol(c->words[1], &end, 10)) < 0 || *end || end == c->words[1])
		return err_set(EINVAL, "swrk needs the number of a descriptor: pcr swrk FD");
	return swrk_run(fd, &c->request);
}

static int run_service(struct command *c)
{
	c->daemon |= c->request.restore_detached;
	if (paths_open(c) < 0)
		return -1;
	/* As CRIU does: a relative --address is one in there. */
	if (fchdir(c->request.work_fd) < 0)
		return err_errno("work directory");
	return service_run(c);
}

/* One dump's memory, then it ends. */
static int run_page_server(struct command *c)
{
	struct request *r = &c->request;
	int fd;

	c->daemon |= r->restore_detached;
	if (paths_open(c) < 0)
		return -1;
	fd = page_server_listen(r, &r->ps_port);
	if (fd < 0 || (c->daemon && background_start() < 0) || pidfile_write(r->work_fd, r->pidfile, getpid()) < 0)
		return -1;
	pr_info("page server: listening, port %u", r->ps_port);
	if (announce_ready(r) < 0)
		return -1;
	background_ready();
	return page_server_serve(r, fd);
}

/* One restore's memory, then it ends. */
static int run_lazy_pages(struct command *c)
{
	struct request *r = &c->request;
	int fd;

	c->daemon |= r->restore_detached;
	if (paths_open(c) < 0)
		return -1;
	fd = lazy_listen(r);
	if (fd < 0 || (c->daemon && background_start() < 0) || pidfile_write(r->work_fd, r->pidfile, getpid()) < 0)
		return -1;
	pr_info("lazy pages: waiting for a restore");
	if (announce_ready(r) < 0)
		return -1;
	background_ready();
	return lazy_serve(r, fd);
}

static int run_cpuinfo(struct command *c)
{
	bool dump;

	if (c->word_count != 2 || (strcmp(c->words[1], "dump") && strcmp(c->words[1], "check")))
		return err_set(EINVAL, "cpuinfo needs an action: pcr cpuinfo dump, pcr cpuinfo check");
	dump = !strcmp(c->words[1], "dump");
	if (paths_open(c) < 0)
		return -1;
	if (dump)
		return cpuinfo_write(c->request.images_fd);
	return cpuinfo_check(c->request.images_fd, c->request.has_cpu_cap ? c->request.cpu_cap : CPU_CAP_DEFAULT, false);
}

static int run_exec(struct command *c)
{
	return err_set(ENOTSUP, "exec is gone from CRIU as well: gdb -p PID calls functions in a process");
}

static const struct verb {
	const char *name;
	int (*run)(struct command *command);
	bool words; /* takes more words than its name */
} verbs[] = {
	{ "dump", run_dump },
	{ "pre-dump", run_pre_dump },
	{ "dedup", run_dedup },
	{ "restore", run_restore, true },
	{ "check", run_check },
	{ "swrk", run_swrk, true },
	{ "service", run_service },
	{ "cpuinfo", run_cpuinfo, true },
	{ "page-server", run_page_server },
	{ "lazy-pages", run_lazy_pages },
	{ "exec", run_exec, true },
};

static int run(struct command *c)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		const struct verb *v = &verbs[i];

		if (strcmp(c->words[0], v->name))
			continue;
		if (c->word_count > 1 && !(v->words && (v->run != run_restore || c->exec_cmd)))
			return err_set(EINVAL, "'%s' is not expected here (pcr --help lists what there is)", c->words[1]);
		return v->run(c);
	}
	return err_set(EINVAL, "unknown command '%s' (pcr --help lists what there is)", c->words[0]);
}

/* Images come and go by the hundred, each with its buffer: the heap is not to shrink and grow with each. */
static void keep_heap(void)
{
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

/* Returns the exit status of a failure. On standard error it stands already when the log is there. */
static int report(const char *verb)
{
	if (log_fd() != 2)
		fprintf(stderr, "pcr: %s failed: %s\n", verb, err_text());
	return 1;
}

int main(int argc, char **argv)
{
	struct command command = { .request = REQUEST_INIT };
	int failed, status;

	keep_heap();
	log_init(2, LOG_WARN);
	/* It has options of its own, and the program's behind them. */
	if (argc > 1 && !strcmp(argv[1], "supervise")) {
		status = supervise_run(argc - 1, argv + 1, &command.request);
		return status < 0 ? report(argv[1]) : status;
	}
	failed = options_parse(argc, argv, &command);
	if (!failed && command.help) {
		fputs(options_usage, stdout);
		return 0;
	}
	if (!failed && command.version) {
		printf("Version: %d.%d\npcr %s\n", PCR_CRIU_MAJOR, PCR_CRIU_MINOR, PCR_VERSION);
		return 0;
	}
	if (!failed && !command.word_count) {
		fputs(options_usage, stderr);
		return 1;
	}
	if (!failed && run(&command) == 0)
		return 0;
	return report(command.word_count ? command.words[0] : "it");
}
