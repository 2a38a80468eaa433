/* SPDX-License-Identifier: MIT */
#include "cli/supervise_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/swrk.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "rpc.pb-c.h"

#define CLIENTS_MAX 32
#define MESSAGE_MAX (64 * 1024)

struct client {
	int fd; /* -1: free */
	pid_t worker; /* carries out its request; 0: nobody */
};

static int listener = -1;
static struct client clients[CLIENTS_MAX];

/* --- the socket --- */

/* sun_path is short; a long path is reached through a descriptor of its directory. Returns that descriptor, -1 when none was needed, -2 with
 * the error set. */
static int fill_address(struct sockaddr_un *address, const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *directory = NULL;
	int fd;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) < sizeof(address->sun_path)) {
		strcpy(address->sun_path, path);
		return -1;
	}
	if (!slash) {
		err_set(ENAMETOOLONG, "socket %s: a name is at most %zu bytes long", path, sizeof(address->sun_path) - 1);
		return -2;
	}
	directory = xasprintf("%.*s", (int)(slash - path + 1), path);
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		err_errno("socket directory %s", directory);
		return -2;
	}
	if (snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", fd, slash + 1) >= (int)sizeof(address->sun_path)) {
		close(fd);
		err_set(ENAMETOOLONG, "socket %s: the name behind the last / is too long", path);
		return -2;
	}
	return fd;
}

static bool is_abandoned(const struct sockaddr_un *address)
{
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct stat st;

	return stat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 && errno == ECONNREFUSED;
}

int supervise_listen(const char *path)
{
	struct sockaddr_un address;
	int directory = fill_address(&address, path), bound;
	mode_t mask;

	if (directory == -2)
		return -1;
	for (int i = 0; i < CLIENTS_MAX; i++)
		clients[i] = (struct client){ -1, 0 };
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	bound = bind(listener, (struct sockaddr *)&address, sizeof(address));
	if (bound < 0 && errno == EADDRINUSE && is_abandoned(&address) && unlink(address.sun_path) == 0)
		bound = bind(listener, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (bound < 0 || listen(listener, CLIENTS_MAX) < 0)
		err_errno("cannot listen at %s", path);
	if (directory >= 0)
		close(directory);
	return err_code() ? -1 : 0;
}

void supervise_close(const char *path)
{
	if (listener >= 0)
		close(listener);
	listener = -1;
	unlink(path);
}

/* --- requests --- */

static void drop(struct client *client)
{
	close(client->fd);
	*client = (struct client){ -1, 0 };
}

static void take_client(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	for (int i = 0; fd >= 0 && i < CLIENTS_MAX; i++)
		if (clients[i].fd < 0) {
			clients[i].fd = fd;
			return;
		}
	if (fd >= 0)
		close(fd);
}

/* Only an ancestor may trace where Yama says so; everything else is done in a process of its own, which may change itself and fail as it likes. */
static bool is_ours(const uint8_t *message, size_t size)
{
	CriuReq *req = criu_req__unpack(NULL, size, message);
	bool ours = req && (req->type == CRIU_REQ_TYPE__DUMP || req->type == CRIU_REQ_TYPE__PRE_DUMP ||
			    req->type == CRIU_REQ_TYPE__SINGLE_PRE_DUMP);

	if (req)
		criu_req__free_unpacked(req, NULL);
	return ours;
}

/* The log of a request ends with it. */
static void forget_request(void)
{
	if (log_fd() > 2)
		close(log_fd());
	log_init(2, LOG_MSG);
	err_clear();
}

/* Returns the root of the tree that the request has ended, else 0. */
static pid_t serve(struct client *client, const sigset_t *mask)
{
	static uint8_t buffer[MESSAGE_MAX];
	static const struct request none;
	struct swrk_done done = { 0 };
	pid_t worker;
	int more;
	/* Whoever carries it out takes it from the socket. */
	ssize_t n = recv(client->fd, buffer, sizeof(buffer), MSG_PEEK | MSG_DONTWAIT);

	if (n <= 0) {
		drop(client);
		return 0;
	}
	if (is_ours(buffer, n)) {
		more = swrk_next(client->fd, &none, &done);
		forget_request();
		if (more <= 0)
			drop(client);
		return done.killed;
	}
	worker = fork();
	if (worker == 0) {
		close(listener);
		sigprocmask(SIG_SETMASK, mask, NULL);
		_exit(swrk_next(client->fd, &none, &done) > 0 ? 0 : 1);
	}
	if (worker < 0)
		drop(client);
	else
		client->worker = worker;
	return 0;
}

/* --- the loop --- */

static int shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Returns true and root's wait(2) status when it has ended. */
static bool reap(pid_t root, int *root_status)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == root) {
			ended = true;
			*root_status = status;
		}
		for (int i = 0; i < CLIENTS_MAX; i++) {
			if (clients[i].worker != pid)
				continue;
			clients[i].worker = 0;
			if (status)
				drop(&clients[i]);
		}
	}
	return ended;
}

static void forward(int signals, pid_t root)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			kill(root, info.ssi_signo);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int supervise_serve(pid_t root, const sigset_t *mask)
{
	auto_fd signals = open_signals();
	int status = 0;

	for (;;) {
		struct pollfd fds[CLIENTS_MAX + 2] = { { signals, POLLIN, 0 }, { listener, POLLIN, 0 } };

		for (int i = 0; i < CLIENTS_MAX; i++)
			fds[i + 2] = (struct pollfd){ clients[i].worker ? -1 : clients[i].fd, POLLIN, 0 };
		/* Also what ended before the signals were blocked, or was reaped on the way by a dump. */
		if (reap(root, &status))
			return shell_status(status);
		if (poll(fds, CLIENTS_MAX + 2, -1) < 0)
			continue;
		if (fds[0].revents)
			forward(signals, root);
		if (fds[1].revents)
			take_client();
		for (int i = 0; i < CLIENTS_MAX; i++) {
			if (!fds[i + 2].revents)
				continue;
			if (serve(&clients[i], mask) == root) {
				/* The dump has waited for its end, unless a parent of ours traced it. */
				while (waitpid(root, NULL, 0) < 0 && errno == EINTR)
					;
				return SUPERVISE_CHECKPOINTED;
			}
		}
	}
}
