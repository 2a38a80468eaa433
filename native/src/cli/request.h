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

/* --network-lock: what keeps a peer's packets away between dump and restore. The values are criu_network_lock_method's. */
enum network_lock { NETWORK_LOCK_IPTABLES = 1, NETWORK_LOCK_NFTABLES = 2, NETWORK_LOCK_SKIP = 3 };

/* --snapshot: when the tree runs on after a dump, whether it does while its memory is written. */
enum snapshot { SNAPSHOT_AUTO, SNAPSHOT_FORK, SNAPSHOT_FREEZE };

struct swrk_done; /* cli/swrk.h */

struct request {
	/* Told of each stage, by CRIU's names (criu(8), --action-script); waits for the answer. pid: the root task, 0 while there is none.
	 * Returns 0, or -1 with the error set: then the action ends there and the tree is left as it was. NULL: nobody wants to know. */
	int (*notify)(const struct request *request, const char *script, pid_t pid);
	const char **action_scripts; /* programs for action_script_run */
	size_t action_script_count;
	pid_t pid; /* root of the tree to dump; 0: not given */
	int images_fd; /* the images directory, O_RDONLY|O_DIRECTORY; -1 when the verb needs none */
	int work_fd; /* logs, pidfile and stats go here; the same directory when not asked for */
	int log_level; /* enum log_level; default LOG_WARN */
	const char *log_file; /* no subdirectories */

	bool leave_running;
	bool leave_stopped; /* after a dump, or after a restore */
	bool shell_job, ext_unix_sk, tcp_established, tcp_close, tcp_skip_in_flight, evasive_devices, file_locks, link_remap;
	bool skip_file_rwx_check, unprivileged;
	bool only_file_sizes; /* --file-validation filesize: build-ids are not compared */
	uint32_t ghost_limit; /* bytes; larger deleted files are refused */
	uint32_t timeout; /* seconds to freeze the tree in; 0: ten */
	enum network_lock network_lock; /* 0: not said */
	uint32_t *unix_sk_ino; /* sockets whose other end may be outside, beside those that ext_unix_sk allows */
	size_t unix_sk_ino_count;

	/* Processor features: what dump notes in cpuinfo.img and what restore compares; enum cpu_cap of resource/cpuinfo.h. */
	bool has_cpu_cap;
	uint32_t cpu_cap;

	/* Memory. */
	enum snapshot snapshot; /* SNAPSHOT_AUTO: a copy is made where that is safe, pays, and nobody waits for post-dump */
	bool track_mem, auto_dedup;
	bool pre_dump; /* memory only, and the tree runs on while it is written */
	bool pre_dump_read; /* --pre-dump-mode=read; memory is read in one way in any case */
	const char *parent_img; /* --prev-images-dir: the directory of the dump before, relative to the images directory */

	/* Page server: dump sends its pages there, page-server listens there. */
	bool use_page_server;
	const char *ps_address; /* NULL: any (page-server), 127.0.0.1 (dump) */
	uint16_t ps_port; /* 0: any (page-server) */
	int ps_fd; /* a socket that is connected already; -1: none */

	bool lazy_pages;
	int status_fd; /* gets a byte 0 and is closed when the server is ready; -1: none */

	/* --manage-cgroups, criu(8) */
	enum cgroup_mode {
		CGROUPS_SOFT, /* missing ones are made, with their properties */
		CGROUPS_IGNORE, /* neither noted nor entered */
		CGROUPS_NONE, /* they must be there, and are left as they are */
		CGROUPS_PROPS, /* they must be there, and get their properties */
		CGROUPS_FULL, /* all are made and get their properties */
		CGROUPS_STRICT, /* none of them may be there */
	} cgroup_mode;
	struct cgroup_root {
		char *controller; /* NULL: all that have none of their own */
		char *path; /* with a slash in front */
	} *cgroup_roots;
	size_t cgroup_root_count;
	char **cgroup_controllers; /* --cgroup-dump-controller */
	size_t cgroup_controller_count;
	const char *cgroup_yard; /* where the hierarchies are; NULL: where they are mounted */

	/* resource/inherit.h */
	struct inherit_fd {
		int fd;
		char *key;
	} *inherit_fds;
	size_t inherit_fd_count;
	char **external;
	size_t external_count;

	/* --join-ns: namespaces that a restore takes the tree into. */
	struct join_ns {
		const char *name; /* net, uts, ... */
		const char *file; /* a pid or a path */
	} *join_ns;
	size_t join_ns_count;

	bool entered; /* a dump from inside the tree's namespaces (tree/dump_pidns.h) */
	bool restore_detached, restore_sibling;
	int life_fd; /* a tree restored in a namespace ends at the end of file of this pipe; 0: none */
	int progress_fd; /* gets lines of JSON (common/progress.h); -1: none */
	bool display_stats;
	const char *pidfile;
	char **exec_cmd; /* program and arguments, NULL-ended, that take pcr's place after a restore; NULL: none */

	/* swrk: the client of the service that started it (cli/peer.h). */
	struct peer service_peer;
	void (*tell)(const struct swrk_done *done); /* told of each request that has been answered; NULL: nobody */
	int stop_fd; /* swrk: no further request is awaited once this pipe's other end is closed; 0: none */
	bool may_exec; /* this process is there for the request alone: exec_cmd may have it */
	/* Where the options of an RPC request start: criu(8), CONFIGURATION FILES. */
	const char *config;
	bool no_default_config;
	/* The process that the service looked at, and its starttime in /proc/PID/stat: another one with that pid is not meant. 0: not given. */
	pid_t target;
	unsigned long long target_start;
	/* A page server waits for its first connection only while this process lives; 0: for ever. */
	pid_t leash;
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

/* A request in which nothing is asked yet. */
#define REQUEST_INIT { .images_fd = -1, .work_fd = -1, .log_level = 2, .ghost_limit = 1 << 20, .ps_fd = -1, .status_fd = -1, .progress_fd = -1 }

static inline int request_notify(const struct request *request, const char *script, pid_t pid)
{
	return request->notify ? request->notify(request, script, pid) : 0;
}

/* Adds a socket whose peer may be outside the tree. */
void unix_sk_ino_add(struct request *request, uint32_t inode);
/* Whether the peer of the socket with this inode may be outside the tree. */
bool request_ext_unix_sk(const struct request *request, uint32_t inode);

/* --cgroup-root [CONTROLLER:]PATH. controller: NULL for all. Returns 0 or -1 with the error set. */
int cgroup_root_add(struct request *request, const char *controller, const char *path);
/* --cgroup-dump-controller. */
void cgroup_controller_add(struct request *request, const char *controller);

/* Adds a namespace to join; --join-ns KIND:PID, KIND:PATH. extra: options of a user namespace, or NULL. Return 0 or -1 with the error
 * set: a kind that cannot be joined. */
int join_ns_add(struct request *request, const char *name, const char *file, const char *extra);
int join_ns_parse(struct request *request, const char *text);

/* What a verb gives back for the response. */
struct result {
	pid_t pid; /* restore: the root task */
	bool restored; /* dump: we are the restored copy (self dump) */
};

#endif
