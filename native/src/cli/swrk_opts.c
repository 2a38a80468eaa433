/* SPDX-License-Identifier: MIT */
#include "cli/swrk_opts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/config_file.h"
#include "cli/peer.h"
#include "cli/rpc_fields.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/cpuinfo.h"
#include "resource/inherit.h"

#define DEFAULT_LOG "criu.log" /* where CRIU's RPC clients look for it */

static enum cgroup_mode cgroup_mode(CriuCgMode mode)
{
	switch (mode) {
	case CRIU_CG_MODE__IGNORE:
		return CGROUPS_IGNORE;
	case CRIU_CG_MODE__CG_NONE:
		return CGROUPS_NONE;
	case CRIU_CG_MODE__PROPS:
		return CGROUPS_PROPS;
	case CRIU_CG_MODE__FULL:
		return CGROUPS_FULL;
	case CRIU_CG_MODE__STRICT:
		return CGROUPS_STRICT;
	default:
		return CGROUPS_SOFT;
	}
}

static int open_client_directory(pid_t client, int fd, const char *option)
{
	int opened = proc_open(client, O_RDONLY | O_DIRECTORY, "fd/%d", fd);

	if (opened < 0)
		err_errno("%s: descriptor %d of process %d cannot be opened as a directory", option, fd, client);
	return opened;
}

static int open_named_directory(pid_t client, const char *path, const char *option)
{
	int opened = peer_open(client, path, O_RDONLY | O_DIRECTORY);

	if (opened < 0)
		err_errno("%s %s", option, path);
	return opened;
}

/* A descriptor of the client's, here. */
static int take_client_fd(pid_t client, int fd, const char *option)
{
	auto_fd pidfd = pidfd_open(client, 0);
	int got = pidfd < 0 ? -1 : pidfd_getfd(pidfd, fd, 0);

	/* Yama may forbid that, and pipes can be opened. */
	if (got < 0)
		got = proc_open(client, O_WRONLY, "fd/%d", fd);
	if (got < 0)
		return err_errno("%s: descriptor %d of process %d", option, fd, client);
	fcntl(got, F_SETFD, FD_CLOEXEC);
	return got;
}

static int open_directories(const CriuOpts *opts, pid_t client, const struct command *c, struct request *r)
{
	if (opts->images_dir_fd >= 0)
		r->images_fd = open_client_directory(client, opts->images_dir_fd, "images_dir_fd");
	else if (opts->images_dir)
		r->images_fd = open_named_directory(client, opts->images_dir, "images_dir");
	else if (c->images)
		r->images_fd = open_named_directory(client, c->images, "images-dir");
	else
		err_set(EBADF, "neither images_dir_fd nor images_dir says where the images are");
	if (r->images_fd < 0)
		return -1;
	if (opts->has_work_dir_fd && opts->work_dir_fd >= 0)
		r->work_fd = open_client_directory(client, opts->work_dir_fd, "work_dir_fd");
	else if (c->work)
		r->work_fd = open_named_directory(client, c->work, "work-dir");
	else
		r->work_fd = r->images_fd;
	return r->work_fd < 0 ? -1 : 0;
}

/* Those that are set win over configuration files. */
static void take_flags(const CriuOpts *opts, struct request *r)
{
#define TAKE(option, field)       \
	if (opts->has_##option)   \
		r->field = opts->option
	TAKE(leave_running, leave_running);
	TAKE(leave_stopped, leave_stopped);
	TAKE(shell_job, shell_job);
	TAKE(ext_unix_sk, ext_unix_sk);
	TAKE(tcp_established, tcp_established);
	TAKE(tcp_close, tcp_close);
	TAKE(tcp_skip_in_flight, tcp_skip_in_flight);
	TAKE(evasive_devices, evasive_devices);
	TAKE(file_locks, file_locks);
	TAKE(link_remap, link_remap);
	TAKE(ghost_limit, ghost_limit);
	TAKE(timeout, timeout);
	TAKE(unprivileged, unprivileged);
	TAKE(skip_file_rwx_check, skip_file_rwx_check);
	TAKE(rst_sibling, restore_sibling);
	TAKE(track_mem, track_mem);
	TAKE(auto_dedup, auto_dedup);
	TAKE(lazy_pages, lazy_pages);
	TAKE(display_stats, display_stats);
	if (opts->has_network_lock)
		r->network_lock = (enum network_lock)opts->network_lock;
	if (opts->has_pre_dump_mode)
		r->pre_dump_read = opts->pre_dump_mode == CRIU_PRE_DUMP_MODE__VM_READ;
	if (opts->has_cpu_cap) {
		r->has_cpu_cap = true;
		r->cpu_cap = opts->cpu_cap & CPU_CAP_ALL;
	}
	if (opts->has_manage_cgroups_mode)
		r->cgroup_mode = cgroup_mode(opts->manage_cgroups_mode);
	if (opts->cgroup_yard)
		r->cgroup_yard = opts->cgroup_yard;
	if (opts->parent_img)
		r->parent_img = opts->parent_img;
#undef TAKE
}

static int take_lists(const struct session *session, const CriuOpts *opts, struct request *r)
{
	for (size_t i = 0; i < opts->n_inherit_fd; i++)
		if (inherit_add(r, session->client, opts->inherit_fd[i]->fd, opts->inherit_fd[i]->key) < 0)
			return -1;
	for (size_t i = 0; i < opts->n_external; i++)
		if (external_add(r, opts->external[i]) < 0)
			return -1;
	for (size_t i = 0; i < opts->n_unix_sk_ino; i++)
		unix_sk_ino_add(r, opts->unix_sk_ino[i]->inode);
	for (size_t i = 0; i < opts->n_cg_root; i++)
		if (cgroup_root_add(r, opts->cg_root[i]->ctrl, opts->cg_root[i]->path) < 0)
			return -1;
	for (size_t i = 0; i < opts->n_cgroup_dump_controller; i++)
		cgroup_controller_add(r, opts->cgroup_dump_controller[i]);
	for (size_t i = 0; i < opts->n_join_ns; i++)
		if (join_ns_add(r, opts->join_ns[i]->ns, opts->join_ns[i]->ns_file, opts->join_ns[i]->extra_opt) < 0)
			return -1;
	return 0;
}

static int take_exec_cmd(const struct session *session, const CriuOpts *opts, struct request *r)
{
	if (!opts->n_exec_cmd)
		return 0;
	if (!session->started->may_exec)
		return err_set(ENOTSUP, "option exec_cmd is not done here: this process has more to do");
	r->exec_cmd = xzalloc((opts->n_exec_cmd + 1) * sizeof(*r->exec_cmd));
	for (size_t i = 0; i < opts->n_exec_cmd; i++)
		r->exec_cmd[i] = xstrdup(opts->exec_cmd[i]);
	return 0;
}

/* criu_page_server_info: of the server to send pages to, or to start. */
static int take_page_server(const struct session *session, const CriuOpts *opts, struct request *r)
{
	if (!opts->ps)
		return 0;
	/* With lazy_pages the dump is the server, at this address. */
	r->use_page_server = !r->lazy_pages;
	r->ps_address = opts->ps->address;
	if (opts->ps->port < 0 || opts->ps->port > UINT16_MAX)
		return err_set(EINVAL, "ps: port %d", opts->ps->port);
	r->ps_port = opts->ps->port;
	if (!opts->ps->has_fd || opts->ps->fd < 0)
		return 0;
	r->ps_fd = session->client_is_parent ? fcntl(opts->ps->fd, F_DUPFD_CLOEXEC, 3) : take_client_fd(session->client, opts->ps->fd, "ps.fd");
	return r->ps_fd < 0 ? err_set(EBADF, "ps.fd: descriptor %d", opts->ps->fd) : 0;
}

static int take_descriptors(const struct session *session, const CriuOpts *opts, struct request *r)
{
	struct ucred cred;
	socklen_t length = sizeof(cred);

	if (opts->has_status_fd && opts->status_fd >= 0) {
		r->status_fd = take_client_fd(session->client, opts->status_fd, "status_fd");
		if (r->status_fd < 0)
			return -1;
	}
	if (opts->has_pidfd_store_sk) {
		/* Start times in the images tell a reused pid from the one that was pre-dumped; nothing needs to be stored. */
		auto_fd store = take_client_fd(session->client, opts->pidfd_store_sk, "pidfd_store_sk");

		if (store < 0)
			return -1;
		if (getsockopt(store, SOL_SOCKET, SO_PEERCRED, &cred, &length) < 0)
			return err_errno("pidfd_store_sk: descriptor %d is not a Unix socket", opts->pidfd_store_sk);
	}
	return 0;
}

/* criu(8), Configuration files in RPC mode: what this one says comes last and wins. */
static int take_config_file(const struct session *session, const CriuOpts *opts, struct command *c)
{
	int fd;

	if (!opts->config_file)
		return 0;
	fd = peer_open(session->client, opts->config_file, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return err_errno("config_file %s", opts->config_file);
	c->from_client = true;
	return config_file_read(c, fd, opts->config_file);
}

int swrk_opts_take(const struct session *session, const CriuOpts *opts, struct request *r)
{
	struct command c = { .request = REQUEST_INIT };
	struct request *given = &c.request;

	given->config = session->started->config;
	given->no_default_config = session->started->no_default_config;
	if (config_files_read(&c) < 0)
		return -1;
	/* Given on swrk's own command line. */
	if (session->started->may_exec && session->started->progress_fd >= 0)
		given->progress_fd = session->started->progress_fd;
	given->restore_detached = true;
	given->peer = session->client;
	given->only_owner = session->started->only_owner;
	given->owner_uid = session->started->service_peer.uid;
	given->owner_gid = session->started->service_peer.gid;
	given->target = session->started->target;
	given->target_start = session->started->target_start;
	if (opts->has_log_level && opts->log_level < 0)
		return err_set(EINVAL, "log_level %d: 0 to 4 are there", opts->log_level);
	if (opts->has_pid && opts->pid <= 0)
		return err_set(ESRCH, "there is no process with pid %d", opts->pid);
	if (opts->has_pid)
		given->pid = opts->pid;
	if (opts->has_log_level)
		given->log_level = opts->log_level > LOG_DEBUG ? LOG_DEBUG : opts->log_level;
	if (opts->log_file)
		given->log_file = opts->log_file;
	take_flags(opts, given);
	if (rpc_fields_check(opts) < 0 || take_config_file(session, opts, &c) < 0)
		return -1;
	if (!given->log_file && !opts->log_to_stderr)
		given->log_file = DEFAULT_LOG;
	*r = *given;
	if (take_lists(session, opts, r) < 0 || take_exec_cmd(session, opts, r) < 0 || open_directories(opts, session->client, &c, r) < 0)
		return -1;
	return take_page_server(session, opts, r) < 0 ? -1 : take_descriptors(session, opts, r);
}

void swrk_opts_close(struct request *request)
{
	if (request->work_fd >= 0 && request->work_fd != request->images_fd)
		close(request->work_fd);
	if (request->images_fd >= 0)
		close(request->images_fd);
	if (request->status_fd >= 0)
		close(request->status_fd);
	if (request->ps_fd >= 0)
		close(request->ps_fd);
	request->work_fd = request->images_fd = request->status_fd = request->ps_fd = -1;
}
