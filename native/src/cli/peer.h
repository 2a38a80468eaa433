/* SPDX-License-Identifier: MIT
 *
 * Whom `pcr swrk` works for when a service stands in between: the process at the other end of the service's connection. A pcr that
 * runs as root becomes that process' user before it reads the first request, so that the kernel, not a check of ours, decides what it may open.
 */
#ifndef PCR_CLI_PEER_H
#define PCR_CLI_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct peer {
	pid_t pid; /* 0: no service in between */
	/* What the service knows from SO_PEERCRED and /proc; unset when only the pid was given. */
	bool known;
	unsigned long long start; /* starttime of /proc/PID/stat when it connected: with the pid it names one process */
	uid_t uid;
	gid_t gid;
	uint32_t socket; /* inode of the service's end of the connection; 0: not known */
};

/* PID or PID:START:UID:GID:SOCKET. 0, or -1 with the error set. */
int peer_parse(struct peer *peer, const char *text);

/* Checks that the process is still the one that connected and, if we are root and it is not, takes its uid, gid and groups for good. Of
 * our capabilities only CAP_CHECKPOINT_RESTORE stays (any user's pcr may be given that one), and CAP_SYS_PTRACE for peer_ptrace().
 * became: whether that happened. 0, or -1 with the error set: then nothing may be done for it. */
int peer_become(struct peer *peer, bool *became);

/* Where Yama lets only an ancestor stop a process, the right to stop the user's own ones, for the length of a dump. */
void peer_ptrace(bool raise);

/* Opens a path as the process itself would: from its working directory, inside its root. A descriptor, or -1 with errno. */
int peer_open(pid_t pid, const char *path, int flags);

#endif
