/* SPDX-License-Identifier: MIT */
#include "cli/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/open_paths.h"
#include "cli/options.h"
#include "cli/supervise_socket.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "tree/restore.h"

struct supervise {
	const char *socket, *service_socket, *status_file, *pidfile;
	bool daemon, restore;
	char **command; /* NULL-ended; what follows --restore when restore is set */
	int command_count;
	sigset_t mask; /* as we were started with */
	pid_t root;
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },	{ "status-file", required_argument, NULL, 'f' },
	{ "pidfile", required_argument, NULL, 'p' },	{ "daemon", no_argument, NULL, 'd' },
	{ "service-socket", required_argument, NULL, 'S' }, { "restore", no_argument, NULL, 'r' },
	{ 0 },
};

static int parse(int argc, char **argv, struct supervise *s)
{
	int opt;

	opterr = 0;
	optind = 1;
	while (!s->restore && (opt = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		switch (opt) {
		case 's': s->socket = optarg; break;
		case 'f': s->status_file = optarg; break;
		case 'p': s->pidfile = optarg; break;
		case 'd': s->daemon = true; break;
		case 'S': s->service_socket = optarg; break;
		case 'r': s->restore = true; break;
		case ':': return err_set(EINVAL, "supervise: option %s needs a value", argv[optind - 1]);
		default:
			return err_set(EINVAL, "supervise: unknown option %s; --socket, --status-file, --pidfile, --daemon, --service-socket and --restore "
				       "are there", argv[optind - 1]);
		}
	}
	s->command = argv + optind;
	s->command_count = argc - optind;
	if (!s->socket || !s->status_file)
		return err_set(EINVAL, "supervise needs --socket PATH and --status-file FILE");
	if (!s->restore && !s->command_count)
		return err_set(EINVAL, "supervise needs a program: pcr supervise --socket PATH --status-file FILE -- PROGRAM ARG...");
	return 0;
}

/* Whole or not at all. */
static int write_file(const char *path, const char *text)
{
	auto_free char *temporary = xasprintf("%s.%d.tmp", path, getpid());
	auto_fd fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return err_errno("cannot write %s", temporary);
	if (write_all(fd, text, strlen(text)) < 0 || rename(temporary, path) < 0) {
		err_errno("cannot write %s", path);
		unlink(temporary);
		return -1;
	}
	return 0;
}

/* --- the tree --- */

/* What a child says to us over a pipe before it is what it should be. */
struct message {
	int code; /* errno value; 0: all is well */
	bool said; /* on standard error already */
	pid_t pid;
	char text[ERR_TEXT_MAX];
};

static bool said;

static void tell(int fd, pid_t pid)
{
	struct message m = { .code = err_code(), .said = said, .pid = pid };

	snprintf(m.text, sizeof(m.text), "%s", err_text());
	if (write_all(fd, &m, sizeof(m)) < 0)
		_exit(1);
}

/* none: what it means when the pipe is closed without a word. */
static int hear(int fd, struct message *m, int none)
{
	memset(m, 0, sizeof(*m));
	if (read_all(fd, m, sizeof(*m)) < 0)
		return none ? err_set(none, "the process that was to start the tree ended without a word") : 0;
	m->text[sizeof(m->text) - 1] = 0;
	said = m->said;
	if (said)
		log_init(2, LOG_MSG);
	return m->code ? err_set(m->code, "%s", m->text) : 0;
}

static void become_program(const struct supervise *s, int say) __attribute__((noreturn));
static void become_program(const struct supervise *s, int say)
{
	auto_free char *path = realpath(s->service_socket ? s->service_socket : s->socket, NULL);

	log_init(2, LOG_MSG);
	/* A session of its own can be dumped without --shell-job. */
	setsid();
	setenv("CHECKPOINT_SERVICE_SOCKET", path ? path : s->service_socket ? s->service_socket : s->socket, 1);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	execvp(s->command[0], s->command);
	err_errno("cannot run %s", s->command[0]);
	tell(say, 0);
	_exit(127);
}

/* In a process of its own, so that we stay as we are; the tree's root becomes our child all the same (CLONE_PARENT). */
static void restore(const struct supervise *s, struct request *request, int say) __attribute__((noreturn));
static void restore(const struct supervise *s, struct request *request, int say)
{
	struct command command = { .request = *request };
	struct result result = { 0 };

	log_init(2, LOG_WARN);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	/* options_parse() skips the first word, as if it were the verb: it is "--restore". */
	if (options_parse(s->command_count + 1, s->command - 1, &command) == 0) {
		command.request.restore_sibling = command.request.restore_detached = true;
		if (paths_open(&command) == 0)
			restore_run(&command.request, &result);
	}
	said = log_fd() == 2;
	tell(say, result.pid);
	_exit(0);
}

static int start(struct supervise *s, struct request *request)
{
	struct message m;
	int ends[2], life[2];
	pid_t child;

	/* The other end of life stays open for as long as we are there. */
	if (pipe2(ends, O_CLOEXEC) < 0 || pipe2(life, O_CLOEXEC) < 0)
		return err_errno("cannot make a pipe");
	child = fork();
	if (child < 0)
		return err_errno("cannot start a process");
	if (child == 0) {
		close(ends[0]);
		close(life[1]);
		request->life_fd = life[0];
		if (s->restore)
			restore(s, request, ends[1]);
		become_program(s, ends[1]);
	}
	close(ends[1]);
	close(life[0]);
	if (hear(ends[0], &m, s->restore ? ECHILD : 0) == 0)
		s->root = s->restore ? m.pid : child;
	close(ends[0]);
	if (!s->root || s->restore)
		waitpid(child, NULL, 0);
	return s->root ? 0 : -1;
}

/* --- until its end --- */

static int signals(sigset_t *mask)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGCHLD);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	return sigprocmask(SIG_BLOCK, &ours, mask) < 0 ? err_errno("cannot block signals") : 0;
}

/* Serves until the root has ended, then says how. */
static int attend(const struct supervise *s)
{
	int status = supervise_serve(s->root, &s->mask);
	char text[32];

	if (status == SUPERVISE_CHECKPOINTED)
		snprintf(text, sizeof(text), "checkpointed\n");
	else
		snprintf(text, sizeof(text), "%d\n", status);
	supervise_close(s->socket);
	if (write_file(s->status_file, text) < 0)
		return -1;
	return status == SUPERVISE_CHECKPOINTED ? 0 : status;
}

static int begin(struct supervise *s, struct request *request)
{
	char pid[16];

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (signals(&s->mask) < 0 || supervise_listen(s->socket) < 0)
		return -1;
	/* An older run's must not be taken for this one's. */
	if (unlink(s->status_file) < 0 && errno != ENOENT) {
		err_errno("cannot replace the status file %s", s->status_file);
		supervise_close(s->socket);
		return -1;
	}
	if (start(s, request) < 0) {
		supervise_close(s->socket);
		return -1;
	}
	snprintf(pid, sizeof(pid), "%d", s->root);
	if (s->pidfile && write_file(s->pidfile, pid) < 0) {
		kill(s->root, SIGKILL);
		supervise_close(s->socket);
		return -1;
	}
	return 0;
}

int supervise_run(int argc, char **argv, struct request *request)
{
	struct supervise s = { 0 };
	struct message m;
	int ends[2];
	pid_t child;

	if (parse(argc, argv, &s) < 0)
		return -1;
	if (!s.daemon)
		return begin(&s, request) < 0 ? -1 : attend(&s);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno("cannot make a pipe");
	child = fork();
	if (child < 0)
		return err_errno("cannot start a process");
	if (child) {
		close(ends[1]);
		return hear(ends[0], &m, ECHILD);
	}
	close(ends[0]);
	setsid();
	/* Standard error is the program's from now on; who started us says what went wrong. */
	log_init(2, LOG_MSG);
	begin(&s, request);
	tell(ends[1], s.root);
	close(ends[1]);
	_exit(err_code() ? 1 : attend(&s));
}
