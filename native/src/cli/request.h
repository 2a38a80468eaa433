/* SPDX-License-Identifier: MIT
 *
 * What is asked of pcr, however it was asked: the two front ends (cli/options.c for argv, cli/swrk.c for RPC) fill it in, the verbs
 * (tree/dump.h, tree/restore.h, cli/check.c) work from it. Field by field the names are CRIU's (criu(8); criu-facts, section rpc).
 */
#ifndef PCR_CLI_REQUEST_H
#define PCR_CLI_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/peer.h"

struct request {
	/* Told of each stage, by CRIU's names (criu(8), --action-script); waits for the answer. pid: the root task, 0 while there is none.
	 * Returns 0, or -1 with the error set: then the action ends there and the tree is left as it was. NULL: nobody wants to know. */
	int (*notify)(const struct request *request, const char *script, pid_t pid);
	const char *action_script; /* program for action_script_run; NULL: none */
	pid_t pid; /* root of the tree to dump; 0: not given */
	int images_fd; /* the images directory, O_RDONLY|O_DIRECTORY; -1 when the verb needs none */
	int work_fd; /* logs, pidfile and stats go here; the same directory when not asked for */
	int log_level; /* enum log_level; default LOG_WARN */
	const char *log_file; /* no subdirectories */

	bool leave_running, leave_stopped;
	bool shell_job, ext_unix_sk, tcp_established, tcp_close, evasive_devices, file_locks, link_remap;
	bool skip_file_rwx_check, unprivileged;
	uint32_t ghost_limit; /* bytes; larger deleted files are refused */
	uint32_t timeout; /* seconds to freeze the tree in; 0: ten */

	bool ignore_cgroups; /* --manage-cgroups=ignore: neither noted nor entered */

	/* resource/inherit.h */
	struct inherit_fd {
		int fd;
		char *key;
	} *inherit_fds;
	size_t inherit_fd_count;
	char **external;
	size_t external_count;

	bool restore_detached, restore_sibling;
	const char *pidfile;

	/* swrk: the client of the service that started it (cli/peer.h). */
	struct peer service_peer;
	/* The process that the service looked at, and its starttime in /proc/PID/stat: another one with that pid is not meant. 0: not given. */
	pid_t target;
	unsigned long long target_start;
	/* Whether nobody is left who could be told the outcome; NULL: there is always somebody. Then an action is taken back. */
	bool (*client_gone)(void);
	/* Who asked over RPC and where descriptor numbers of the request live; 0 on the command line. */
	pid_t peer;
	/* A dump takes only processes all of whose uids and gids are these; for a root that works for somebody else. */
	bool only_owner;
	uid_t owner_uid;
	gid_t owner_gid;
	/* Self dump: inode of the client's end of the connection over which it asks; 0 otherwise. */
	uint32_t service_inode;
};

static inline int request_notify(const struct request *request, const char *script, pid_t pid)
{
	return request->notify ? request->notify(request, script, pid) : 0;
}

/* What a verb gives back for the response. */
struct result {
	pid_t pid; /* restore: the root task */
	bool restored; /* dump: we are the restored copy (self dump) */
};

#endif
