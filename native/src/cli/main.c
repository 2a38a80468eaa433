/* SPDX-License-Identifier: MIT
 *
 * pcr: dumps and restores process trees in CRIU's image format. This file: verbs and exit status.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "cli/check.h"
#include "cli/open_paths.h"
#include "cli/options.h"
#include "cli/supervise.h"
#include "cli/swrk.h"
#include "cli/version.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "tree/dump.h"
#include "tree/restore.h"

static int run_dump(struct request *request, const struct paths *paths)
{
	struct result result = { 0 };

	if (!request->pid)
		return err_set(EINVAL, "dump needs -t PID");
	return paths_open(request, paths) < 0 ? -1 : dump_run(request, &result);
}

static int run_restore(struct request *request, const struct paths *paths)
{
	struct result result = { 0 };

	return paths_open(request, paths) < 0 ? -1 : restore_run(request, &result);
}

static int run_swrk(int argc, char **argv, struct request *request)
{
	struct paths paths = { 0 };
	char *end;
	long fd;

	if (argc < 2 || (fd = strtol(argv[1], &end, 10)) < 0 || *end || end == argv[1])
		return err_set(EINVAL, "swrk needs the number of a descriptor: pcr swrk FD");
	if (options_parse(argc - 1, argv + 1, request, &paths) < 0)
		return -1;
	return swrk_run(fd, request);
}

/* Returns pcr's exit status, -1 with the error set. */
static int run(int argc, char **argv)
{
	struct request request = { .images_fd = -1, .work_fd = -1, .log_level = LOG_WARN, .ghost_limit = 1 << 20 };
	struct paths paths = { 0 };
	const char *verb = argv[1];

	if (!strcmp(verb, "swrk"))
		return run_swrk(argc - 1, argv + 1, &request);
	if (!strcmp(verb, "supervise"))
		return supervise_run(argc - 1, argv + 1, &request);
	if (options_parse(argc - 1, argv + 1, &request, &paths) < 0)
		return -1;
	if (!strcmp(verb, "dump"))
		return run_dump(&request, &paths);
	if (!strcmp(verb, "restore"))
		return run_restore(&request, &paths);
	if (!strcmp(verb, "check"))
		return check_run(stdout);
	return err_set(EINVAL, "unknown command '%s': dump, restore, check, supervise and swrk are there", verb);
}

/* Images come and go by the hundred, each with its buffer: the heap is not to shrink and grow with each. */
static void keep_heap(void)
{
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
}

int main(int argc, char **argv)
{
	int status;

	keep_heap();
	log_init(2, LOG_WARN);
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs(options_usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? 1 : 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("Version: %d.%d (pcr %s)\n", PCR_CRIU_MAJOR, PCR_CRIU_MINOR, PCR_VERSION);
		return 0;
	}
	status = run(argc, argv);
	if (status >= 0)
		return status;
	/* On standard error it stands already, as the log's line. */
	if (log_fd() != 2)
		fprintf(stderr, "pcr: %s failed: %s\n", argv[1], err_text());
	return 1;
}
