/* SPDX-License-Identifier: MIT */
#include "cli/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/creds.h"

#define CAP_BIT(cap) (1ULL << (cap))

static uint64_t kept; /* capabilities that stay permitted */

int peer_parse(struct peer *peer, const char *text)
{
	int end = 0;

	*peer = (struct peer){ 0 };
	if (sscanf(text, "%d:%llu:%u:%u:%u%n", &peer->pid, &peer->start, &peer->uid, &peer->gid, &peer->socket, &end) == 5 && !text[end])
		peer->known = true;
	else if (sscanf(text, "%d%n", &peer->pid, &end) != 1 || text[end])
		return err_set(EINVAL, "--peer takes PID or PID:START:UID:GID:SOCKET, not '%s'", text);
	return peer->pid > 0 ? 0 : err_set(EINVAL, "--peer: there is no process %d", peer->pid);
}

static int gone(const struct peer *peer)
{
	return err_set(ESRCH, "process %d, which asks, is gone: its descriptors cannot be reached any more", peer->pid);
}

/* starttime, field 22 of /proc/PID/stat (proc_pid_stat(5)). */
static int check_start(const struct peer *peer)
{
	auto_free char *stat = proc_read(peer->pid, "stat", NULL);
	const char *end = stat ? strrchr(stat, ')') : NULL;
	unsigned long long start;

	if (!end || sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &start) != 1)
		return gone(peer);
	return start == peer->start ? 0 : gone(peer);
}

static int take_groups(const char *line)
{
	auto_free gid_t *groups = NULL;
	size_t n = 0;
	char *end;

	for (;; line = end) {
		unsigned long gid = strtoul(line, &end, 10);

		if (end == line || (*end != ' ' && *end != '\n' && *end))
			break;
		groups = xrealloc(groups, (n + 1) * sizeof(*groups));
		groups[n++] = gid;
		if (*end == '\n' || n >= NGROUPS_MAX)
			break;
	}
	return setgroups(n, groups) < 0 ? err_errno("cannot take the groups of the process that asks") : 0;
}

/* prctl(2), capset(2): both sets, nothing inheritable. */
static int set_caps(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ effective, permitted, 0 },
		{ effective >> 32, permitted >> 32, 0 },
	};

	return syscall(SYS_capset, &header, data);
}

static uint64_t permitted_now(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	syscall(SYS_capget, &header, data);
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

/* kernel.yama.ptrace_scope: 1 descendants only, 2 CAP_SYS_PTRACE only (Documentation/admin-guide/LSM/Yama). */
static bool yama_narrows(void)
{
	auto_file *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	return f && fscanf(f, "%d", &scope) == 1 && (scope == 1 || scope == 2);
}

static int become(const struct peer *peer, const char *groups)
{
	uint64_t want = CAP_BIT(CAP_CHECKPOINT_RESTORE) | (yama_narrows() ? CAP_BIT(CAP_SYS_PTRACE) : 0);

	kept = permitted_now() & want;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || take_groups(groups) < 0 || setresgid(peer->gid, peer->gid, peer->gid) < 0 ||
	    setresuid(peer->uid, peer->uid, peer->uid) < 0)
		return err_errno("cannot become uid %u, gid %u, of process %d", peer->uid, peer->gid, peer->pid);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || set_caps(kept & ~CAP_BIT(CAP_SYS_PTRACE), kept) < 0)
		return err_errno("cannot drop root's capabilities");
	/* We look at our own children in /proc. Whatever we have over the user keeps it from tracing us (ptrace(2)). */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return err_errno("cannot become dumpable again");
	creds_lend(kept);
	img_set_owner(peer->uid);
	return 0;
}

int peer_become(struct peer *peer, bool *became)
{
	auto_free char *status = proc_read(peer->pid, "status", NULL);
	const char *uids = status ? status_field(status, "Uid") : NULL, *gids = status ? status_field(status, "Gid") : NULL;
	const char *groups = status ? status_field(status, "Groups") : NULL;
	unsigned int uid, gid;

	*became = false;
	if (!uids || !gids || !groups || sscanf(uids, "%*u %u", &uid) != 1 || sscanf(gids, "%*u %u", &gid) != 1)
		return gone(peer);
	/* After the reading: a process that came later has another start. */
	if (peer->known && check_start(peer) < 0)
		return -1;
	if (!peer->known) {
		peer->uid = uid;
		peer->gid = gid;
	}
	if (geteuid() != 0 || peer->uid == 0)
		return 0;
	if (uid != peer->uid || gid != peer->gid)
		return err_set(EPERM, "process %d asked as uid %u, gid %u and is uid %u, gid %u now: ask again", peer->pid, peer->uid, peer->gid, uid, gid);
	*became = true;
	return become(peer, groups);
}

void peer_ptrace(bool raise)
{
	uint64_t effective = raise ? kept : kept & ~CAP_BIT(CAP_SYS_PTRACE);

	if ((kept & CAP_BIT(CAP_SYS_PTRACE)) && set_caps(effective, kept) < 0)
		pr_warn("CAP_SYS_PTRACE stays as it was: %s", strerror(errno));
}

static bool same_root(int root)
{
	struct stat ours, theirs;

	return stat("/", &ours) == 0 && fstat(root, &theirs) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

int peer_open(pid_t pid, const char *path, int flags)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	auto_fd root = proc_open(pid, O_PATH | O_DIRECTORY, "root");
	auto_fd cwd = proc_open(pid, O_PATH | O_DIRECTORY, "cwd");

	if (root < 0 || cwd < 0)
		return -1;
	if (same_root(root))
		return openat(cwd, path, flags | O_CLOEXEC);
	if (*path == '/')
		return syscall(SYS_openat2, root, path, &how, sizeof(how));
	/* Another root, and from somewhere inside: no way up from there. */
	how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
	return syscall(SYS_openat2, cwd, path, &how, sizeof(how));
}
