/* SPDX-License-Identifier: MIT
 *
 * A client that is built with Debian's libcriu: each scenario talks to a service, or to a binary of which libcriu starts `swrk`, and says what came of it.
 *
 *     libcriu socket|binary PATH IMAGES SCENARIO [PID]
 *
 * One line for each thing that came about, on standard output; exit status 0 when all calls did what they should.
 */
#include <criu/criu.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *way, *path, *images;
static int images_fd;

static void fail(const char *what, int result)
{
	printf("FAILED %s: %d errno %d (%s)\n", what, result, errno, strerror(errno));
	exit(1);
}

static void fresh(void)
{
	if (criu_init_opts() < 0)
		fail("criu_init_opts", -1);
	if (!strcmp(way, "binary"))
		criu_set_service_binary(path);
	else
		criu_set_service_address(path);
	criu_set_images_dir_fd(images_fd);
	criu_set_log_level(CRIU_LOG_DEBUG);
}

static int open_fd(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("connect", fd);
	return fd;
}

/* --- small ones --- */

static void version(int pid)
{
	int v;

	fresh();
	v = criu_get_version();
	if (v < 40000)
		fail("criu_get_version", v);
	if (criu_check_version(30000) != 1)
		fail("criu_check_version", criu_check_version(30000));
	printf("version %d\n", v);
}

static void check(int pid)
{
	struct criu_feature_check features = { .mem_track = true, .lazy_pages = true, .pidfd_store = true };
	int result;

	fresh();
	result = criu_check();
	if (result)
		fail("criu_check", result);
	result = criu_feature_check(&features, sizeof(features));
	if (result)
		fail("criu_feature_check", result);
	printf("features %d %d %d\n", features.mem_track, features.lazy_pages, features.pidfd_store);
}

/* --- dump and restore --- */

static void dump(int pid)
{
	int result;

	fresh();
	criu_set_pid(pid);
	criu_set_log_file("dump.log");
	result = criu_dump();
	if (result)
		fail("criu_dump", result);
	printf("dumped\n");
}

static void restore(int pid)
{
	int result;

	fresh();
	criu_set_log_file("restore.log");
	result = criu_restore();
	if (result <= 0)
		fail("criu_restore", result);
	printf("restored %d\n", result);
}

/* The restored root is our child. */
static void restore_child(int pid)
{
	int result, status;

	fresh();
	criu_set_log_file("restore.log");
	result = criu_restore_child();
	if (result <= 0)
		fail("criu_restore_child", result);
	if (kill(result, SIGTERM) < 0 || waitpid(result, &status, 0) != result || !WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM)
		fail("waitpid", status);
	printf("restored %d\n", result);
}

/* --- oneself --- */

static void self(int pid)
{
	int result, fd;

	fresh();
	criu_set_leave_running(true);
	criu_set_log_file("dump.log");
	/* Everything that was open comes back; the restored process says so through the file. */
	fd = openat(images_fd, "../said", O_WRONLY | O_CREAT | O_APPEND, 0666);
	result = criu_dump();
	if (result < 0)
		fail("criu_dump", result);
	dprintf(fd, "%s %d\n", result ? "restored" : "dumped", getpid());
	if (result)
		_exit(0);
	printf("dumped %d\n", getpid());
}

/* --- notifications --- */

static const char *refuse;

static int notified(char *action, criu_notify_arg_t arg)
{
	printf("notified %s %d\n", action, criu_notify_pid(arg));
	return refuse && !strcmp(action, refuse) ? -1 : 0;
}

static void notify(int pid)
{
	int result;

	fresh();
	criu_set_notify_cb(notified);
	criu_set_pid(pid);
	result = criu_dump();
	if (result)
		fail("criu_dump", result);
	fresh();
	criu_set_notify_cb(notified);
	result = criu_restore();
	if (result <= 0)
		fail("criu_restore", result);
	printf("restored %d\n", result);
}

static void refused(int pid)
{
	fresh();
	refuse = "post-dump";
	criu_set_notify_cb(notified);
	criu_set_pid(pid);
	if (criu_dump() >= 0)
		fail("criu_dump with a refusal", 0);
	printf("refused\n");
}

/* --- memory in steps --- */

static int steps;

static int more(criu_predump_info info)
{
	char name[32], parent[32];
	int fd;

	/* Called before each step with what the last one was: where the next goes. */
	if (steps >= 3)
		return 0;
	snprintf(name, sizeof(name), "%d", steps);
	mkdirat(images_fd, name, 0700);
	fd = openat(images_fd, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		fail("openat", fd);
	criu_set_images_dir_fd(fd);
	if (steps) {
		snprintf(parent, sizeof(parent), "../%d", steps - 1);
		criu_set_parent_images(parent);
	}
	steps++;
	return steps < 3;
}

static void iters(int pid)
{
	int result;

	fresh();
	criu_set_pid(pid);
	criu_set_track_mem(true);
	if (!more(NULL))
		fail("more", 0);
	result = criu_dump_iters(more);
	if (result)
		fail("criu_dump_iters", result);
	printf("dumped in %d steps\n", steps);
}

static void predump(int pid)
{
	int result;

	fresh();
	criu_set_pid(pid);
	criu_set_track_mem(true);
	result = criu_pre_dump();
	if (result)
		fail("criu_pre_dump", result);
	printf("pre-dumped\n");
}

/* --- what goes wrong --- */

static void expect(const char *what, int result, int code)
{
	if (result >= 0 || errno != code)
		fail(what, result);
	printf("%s: errno %d\n", what, errno);
}

static void errors(int pid)
{
	int result;

	fresh();
	criu_set_pid(4194303);
	errno = 0;
	expect("no such pid", criu_dump(), ESRCH);
	fresh();
	criu_set_pid(pid);
	criu_set_log_file("../up.log");
	expect("log file with a directory", criu_dump(), EBADRQC);
	fresh();
	criu_set_pid(pid);
	criu_set_leave_running(true);
	result = criu_dump();
	if (result)
		fail("criu_dump", result);
	fresh();
	expect("taken pid", criu_restore(), EEXIST);
}

/* --- criu_local_ --- */

static void local(int pid)
{
	criu_opts *opts = NULL;
	int result;

	if (criu_local_init_opts(&opts) < 0)
		fail("criu_local_init_opts", -1);
	if (!strcmp(way, "binary"))
		criu_local_set_service_binary(opts, path);
	else
		criu_local_set_service_fd(opts, open_fd());
	criu_local_set_images_dir_fd(opts, images_fd);
	criu_local_set_pid(opts, pid);
	criu_local_set_leave_running(opts, true);
	criu_local_add_external(opts, "mnt[]:ms");
	criu_local_set_manage_cgroups(opts, true);
	criu_local_set_ghost_limit(opts, 1 << 16);
	criu_local_add_enable_fs(opts, "all");
	criu_local_add_skip_mnt(opts, "/nowhere");
	criu_local_set_network_lock(opts, CRIU_NETWORK_LOCK_IPTABLES);
	criu_local_set_timeout(opts, 5);
	result = criu_local_dump(opts);
	if (result)
		fail("criu_local_dump", result);
	criu_local_free_opts(opts);
	printf("dumped\n");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(int pid);
	} scenarios[] = {
		{ "version", version }, { "check", check },   { "dump", dump },		{ "restore", restore }, { "restore_child", restore_child },
		{ "self", self },	{ "notify", notify }, { "refused", refused }, { "iters", iters },	{ "predump", predump },
		{ "errors", errors },	{ "local", local },
	};

	if (argc < 5)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	way = argv[1];
	path = argv[2];
	images = argv[3];
	images_fd = open(images, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
		if (!strcmp(scenarios[i].name, argv[4])) {
			scenarios[i].run(argc > 5 ? atoi(argv[5]) : 0);
			return 0;
		}
	return 2;
}
