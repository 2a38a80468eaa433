/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/capability.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/tcp_within.h"
#include "tree/foresee.h"

/* The kernel's include/net/tcp_states.h */
#define TCP_STATE_CLOSE 7
#define TCP_STATE_LISTEN 10

/* --- whose it is --- */

static int look_at_owner(pid_t pid, const char *status)
{
	const char *uids = status_field(status, "Uid"), *gids = status_field(status, "Gid");
	unsigned int u[3], g[3];
	struct stat st;
	char path[32];

	if (has_capability(CAP_SYS_PTRACE) || !uids || !gids || sscanf(uids, "%u %u %u", &u[0], &u[1], &u[2]) != 3 ||
	    sscanf(gids, "%u %u %u", &g[0], &g[1], &g[2]) != 3)
		return 0;
	/* ptrace(2), access mode checking */
	for (int i = 0; i < 3; i++)
		if (u[i] != getuid() || g[i] != getgid())
			return err_set(EPERM, "pid %d belongs to uid %u, gid %u: only that user, root, or CAP_SYS_PTRACE may dump it", pid, u[i], g[i]);
	/* proc(5): the files of a process that is not dumpable are root's. */
	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &st) == 0 && st.st_uid != u[1])
		return err_set(EPERM, "pid %d is not dumpable (PR_SET_DUMPABLE, or its program may not be read or gets other rights than its user has): "
			       "dumping it takes root or CAP_SYS_PTRACE", pid);
	return 0;
}

/* --- seccomp --- */

static void read_seccomp(const char *status, int *mode, int *count)
{
	const char *value = status ? status_field(status, "Seccomp") : NULL, *filters = status ? status_field(status, "Seccomp_filters") : NULL;

	*mode = value ? atoi(value) : 0;
	*count = filters ? atoi(filters) : 0;
}

static int look_at_seccomp(pid_t pid, pid_t tid, const char *status)
{
	static int own_mode = -1, own_count;
	int mode, count;

	if (own_mode < 0) {
		auto_free char *own = proc_read(getpid(), "status", NULL);

		read_seccomp(own, &own_mode, &own_count);
	}
	read_seccomp(status, &mode, &count);
	if (has_capability(CAP_SYS_ADMIN) || mode == SECCOMP_MODE_DISABLED || (mode == own_mode && count == own_count))
		return 0;
	return err_set(EPERM, "pid %d: thread %d runs under seccomp: reading its filters takes CAP_SYS_ADMIN", pid, tid);
}

/* --- TCP --- */

struct connection {
	uint64_t inode;
	char own[44], peer[44]; /* as /proc/net/tcp has them, those of tcp6 that are v4-mapped as those of tcp */
};

static const char *plain(const char *address)
{
	static const char mapped[] = "0000000000000000FFFF0000";

	return strncmp(address, mapped, sizeof(mapped) - 1) ? address : address + sizeof(mapped) - 1;
}

/* TCP sockets that are connected, or on the way there or back, in the process' network namespace. */
static struct connection *connections_of(pid_t pid, size_t *count)
{
	static const char *const tables[] = { "net/tcp", "net/tcp6" };
	struct connection *connections = NULL;
	size_t room = 0;

	*count = 0;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		auto_free char *text = proc_read(pid, tables[i], NULL);
		char *save = NULL;

		for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
			char own[44], peer[44];
			struct connection *c;
			unsigned int state;
			uint64_t inode;

			if (sscanf(line, " %*d: %43s %43s %x %*s %*s %*s %*u %*d %" SCNu64, own, peer, &state, &inode) != 4 || !inode ||
			    state == TCP_STATE_CLOSE || state == TCP_STATE_LISTEN)
				continue;
			c = array_push(&connections, count, &room, sizeof(*connections));
			c->inode = inode;
			strcpy(c->own, plain(own));
			strcpy(c->peer, plain(peer));
		}
	}
	return connections;
}

/* Sockets of the tree's descriptors. */
struct socket_of {
	uint64_t inode;
	pid_t pid;
	int fd;
};
static struct socket_of *sockets;
static size_t socket_count, socket_room;

static void note_sockets(pid_t pid)
{
	char path[32];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		char link[64] = "";
		uint64_t inode;

		if (readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1) > 0 && sscanf(link, "socket:[%" SCNu64, &inode) == 1)
			*(struct socket_of *)array_push(&sockets, &socket_count, &socket_room, sizeof(*sockets)) =
				(struct socket_of){ inode, pid, atoi(d->d_name) };
	}
	if (dir)
		closedir(dir);
}

static const struct socket_of *find_socket(uint64_t inode)
{
	for (size_t i = 0; i < socket_count; i++)
		if (sockets[i].inode == inode)
			return &sockets[i];
	return NULL;
}

/* Within the tree they can be made anew (resource/tcp_within.h). */
static int look_at_connections(pid_t root)
{
	size_t count;
	auto_free struct connection *connections = connections_of(root, &count);

	for (size_t i = 0; i < count; i++) {
		const struct socket_of *own = find_socket(connections[i].inode);
		bool within = false;

		for (size_t j = 0; own && j < count && !within; j++)
			within = !strcmp(connections[j].own, connections[i].peer) && !strcmp(connections[j].peer, connections[i].own) &&
				 find_socket(connections[j].inode);
		if (own && !within)
			return err_set(EPERM, "pid %d: descriptor %d (socket:[%" PRIu64 "]) is a TCP connection whose other end is outside the tree: keeping "
				       "it (--tcp-established) takes CAP_NET_ADMIN; --tcp-close gives it up", own->pid, own->fd, own->inode);
	}
	return 0;
}

/* --- what a restore would lack --- */

static void warn_of_restore(pid_t pid, const char *status)
{
	const char *locked = status_field(status, "VmLck");
	auto_free char *adj = proc_read(pid, "oom_score_adj", NULL), *own_adj = proc_read(getpid(), "oom_score_adj", NULL);
	struct rlimit limit, own;

	for (int i = 0; i < RLIM_NLIMITS && !has_capability(CAP_SYS_RESOURCE); i++)
		if (prlimit(pid, i, NULL, &limit) == 0 && getrlimit(i, &own) == 0 && limit.rlim_max > own.rlim_max) {
			pr_warn("pid %d: its hard limit number %d (see prlimit(2)) is above pcr's own: restoring it takes CAP_SYS_RESOURCE or a pcr that "
				"was started with as much", pid, i);
			break;
		}
	if (locked && !has_capability(CAP_IPC_LOCK) && getrlimit(RLIMIT_MEMLOCK, &own) == 0 && own.rlim_max != RLIM_INFINITY &&
	    strtoull(locked, NULL, 10) * 1024 > own.rlim_max)
		pr_warn("pid %d: it has %llu KiB of locked memory, above pcr's limit: restoring it takes CAP_IPC_LOCK or a higher limit (ulimit -l)", pid,
			strtoull(locked, NULL, 10));
	if (adj && own_adj && atoi(adj) < atoi(own_adj) && !has_capability(CAP_SYS_RESOURCE))
		pr_warn("pid %d: its oom_score_adj %d is below pcr's own: restoring it takes CAP_SYS_RESOURCE", pid, atoi(adj));
	if (!has_capability(CAP_SYS_NICE) && getpriority(PRIO_PROCESS, pid) < getpriority(PRIO_PROCESS, 0))
		pr_warn("pid %d: its nice value is below pcr's own: restoring it takes CAP_SYS_NICE or RLIMIT_NICE", pid);
}

/* --- the tree --- */

static int look_at_task(const struct request *request, pid_t pid);

static int look_at_thread(const struct request *request, pid_t pid, pid_t tid)
{
	char name[48];
	auto_free char *status = NULL, *children = NULL;
	char *p, *end;

	snprintf(name, sizeof(name), "task/%d/status", tid);
	status = proc_read(pid, name, NULL);
	if (status && look_at_seccomp(pid, tid, status) < 0)
		return -1;
	snprintf(name, sizeof(name), "task/%d/children", tid);
	children = proc_read(pid, name, NULL);
	for (p = children; p; p = end) {
		long child = strtol(p, &end, 10);

		if (p == end)
			break;
		if (child != getpid() && look_at_task(request, child) < 0)
			return -1;
	}
	return 0;
}

/* A process that ends or changes meanwhile is no matter: the dump looks again when all stand still. */
static int look_at_task(const struct request *request, pid_t pid)
{
	auto_free char *status = proc_read(pid, "status", NULL);
	const char *state = status ? status_field(status, "State") : NULL;
	char path[32];
	struct dirent *d;
	int result = 0;
	DIR *dir;

	/* Kernel threads have no memory: the dump says so. */
	if (!state || *state == 'Z' || *state == 'X' || !status_field(status, "VmSize"))
		return 0;
	if (look_at_owner(pid, status) < 0)
		return -1;
	note_sockets(pid);
	warn_of_restore(pid, status);
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !result && (d = readdir(dir)))
		if (atoi(d->d_name) > 0)
			result = look_at_thread(request, pid, atoi(d->d_name));
	if (dir)
		closedir(dir);
	return result;
}

int foresee_dump(const struct request *request)
{
	/* Who may everything need not look. */
	if (has_capability(CAP_SYS_ADMIN) && has_capability(CAP_SYS_PTRACE) && has_capability(CAP_NET_ADMIN))
		return 0;
	socket_count = 0;
	if (look_at_task(request, request->pid) < 0)
		return -1;
	return request->tcp_established && !request->tcp_close && !tcp_repair_allowed() ? look_at_connections(request->pid) : 0;
}
