/* SPDX-License-Identifier: MIT */
#include "cli/service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/background.h"
#include "cli/pidfile.h"
#include "cli/ready.h"
#include "cli/swrk.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "rpc.pb-c.h"

#define BACKLOG SOMAXCONN
#define WORKERS_MAX 256
#define DEFAULT_ADDRESS "criu_service.socket" /* in the work directory */

/* Returns the length of the address, 0 with the error set. */
static socklen_t fill_address(struct sockaddr_un *address, const char *path)
{
	size_t n = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (!n || n >= sizeof(address->sun_path)) {
		err_set(EINVAL, "--address %s: a socket's name has 1 to %zu bytes", path, sizeof(address->sun_path) - 1);
		return 0;
	}
	memcpy(address->sun_path, path, n);
	if (*path != '@')
		return offsetof(struct sockaddr_un, sun_path) + n + 1;
	address->sun_path[0] = 0;
	return offsetof(struct sockaddr_un, sun_path) + n;
}

/* A socket that nobody listens at any more is in the way of ours. */
static bool remove_abandoned(const struct sockaddr_un *address, socklen_t length)
{
	auto_fd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct stat st;

	return *address->sun_path && lstat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, (const struct sockaddr *)address, length) < 0 && errno == ECONNREFUSED && unlink(address->sun_path) == 0;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address;
	socklen_t length = fill_address(&address, path);
	int fd;

	if (!length)
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno("cannot make a socket");
	if ((bind(fd, (struct sockaddr *)&address, length) < 0 &&
	     (errno != EADDRINUSE || !remove_abandoned(&address, length) || bind(fd, (struct sockaddr *)&address, length) < 0)) ||
	    listen(fd, BACKLOG) < 0) {
		err_errno("cannot listen at %s", path);
		close(fd);
		return -1;
	}
	/* As CRIU's: anybody may ask, and gets what the kernel lets him have (cli/peer.h). */
	if (*address.sun_path && chmod(address.sun_path, 0666) < 0)
		pr_warn("socket %s: %s", path, strerror(errno));
	return fd;
}

static unsigned long long start_of(pid_t pid)
{
	auto_free char *stat = proc_read(pid, "stat", NULL);
	const char *end = stat ? strrchr(stat, ')') : NULL;
	unsigned long long start = 0;

	if (end)
		sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &start);
	return start;
}

/* Of the connection that this process serves. */
static struct ucred client_cred;
static int service_log = 2;

/* One line for each request: who, what, on which process, how long, how it ended. The log of the request is another. */
static void tell(const struct swrk_done *done)
{
	const ProtobufCEnumValue *type = protobuf_c_enum_descriptor_get_value(&criu_req_type__descriptor, done->type);

	dprintf(service_log, "pid %d, uid %u, gid %u: %s of pid %d: %s after %llu.%03llu ms\n", client_cred.pid, client_cred.uid, client_cred.gid,
		type ? type->name : "unknown request", done->asked_pid, done->code ? strerror(done->code) : "done",
		(unsigned long long)done->took_us / 1000, (unsigned long long)done->took_us % 1000);
}

/* In the process of one connection. */
static int serve(int client, const struct request *arguments)
{
	struct request request = *arguments;
	struct ucred cred;
	socklen_t length = sizeof(cred);
	struct stat st;

	if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &cred, &length) < 0 || fstat(client, &st) < 0)
		return err_errno("a connection");
	request.service_peer = (struct peer){ .pid = cred.pid, .known = true, .start = start_of(cred.pid), .uid = cred.uid, .gid = cred.gid, .socket = st.st_ino };
	request.images_fd = request.work_fd = -1;
	request.tell = tell;
	client_cred = cred;
	/* log_file_open() closes what it replaces. */
	service_log = fcntl(log_fd(), F_DUPFD_CLOEXEC, 3);
	return swrk_run(client, &request);
}

static size_t workers;
static int stop[2] = { -1, -1 }; /* closing the second tells workers that wait for a request to end */

/* So that the client is not left with a closed connection and a guess. */
static void refuse(int client, int code)
{
	CriuResp resp = CRIU_RESP__INIT;
	uint8_t packed[256];
	char text[128];

	snprintf(text, sizeof(text), "%s", code == EAGAIN ? "too many requests are under way: ask again" : strerror(code));
	resp.type = CRIU_REQ_TYPE__EMPTY;
	resp.has_cr_errno = true;
	resp.cr_errno = code;
	resp.cr_errmsg = text;
	pr_warn("a connection was refused: %s", text);
	send(client, packed, criu_resp__pack(&resp, packed), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void take_connection(int listener, int signals, const struct request *arguments)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	sigset_t none;
	pid_t pid;

	if (client < 0)
		return;
	pid = workers < WORKERS_MAX ? fork() : -1;
	if (pid == 0) {
		close(listener);
		close(signals);
		close(stop[1]);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(serve(client, arguments) < 0 ? 1 : 0);
	}
	if (pid < 0)
		refuse(client, workers < WORKERS_MAX ? errno : EAGAIN);
	else
		workers++;
	close(client);
}

/* Trees whose restorer has ended are ours too: we wait for all. */
static void reap(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		if (workers)
			workers--;
}

static int loop(int listener, int signals, const struct request *arguments)
{
	struct pollfd fds[] = { { .fd = listener, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_errno("cannot wait for connections");
		if (fds[1].revents & POLLIN && read(signals, &info, sizeof(info)) == sizeof(info)) {
			if (info.ssi_signo != SIGCHLD)
				return 0;
			reap();
		}
		if (fds[0].revents & POLLIN)
			take_connection(listener, signals, arguments);
	}
}

static int start_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int service_run(struct command *c)
{
	const char *address = c->address ? c->address : DEFAULT_ADDRESS;
	int listener, signals, result;

	listener = listen_at(address);
	if (listener < 0)
		return -1;
	if (c->daemon && background_start() < 0)
		return -1;
	signals = start_signals();
	if (pipe2(stop, O_CLOEXEC) < 0)
		return err_errno("cannot make a pipe");
	c->request.stop_fd = fcntl(stop[0], F_DUPFD_CLOEXEC, 3);
	result = signals < 0 ? err_errno("signalfd") : pidfile_write(c->request.work_fd, c->request.pidfile, getpid());
	if (!result)
		result = announce_ready(&c->request);
	if (!result) {
		pr_info("listening at %s", address);
		background_ready();
		result = loop(listener, signals, &c->request);
	}
	close(listener);
	if (*address != '@')
		unlink(address);
	close(stop[1]);
	while (workers && waitpid(-1, NULL, 0) > 0)
		workers--;
	return result;
}
