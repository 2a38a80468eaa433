/* SPDX-License-Identifier: MIT */
#include "cli/swrk_opts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/inherit.h"

#define DEFAULT_LOG "criu.log" /* where CRIU's RPC clients look for it */

/* Options that take_values honours, and those that only allow what the engine, when it meets it, dumps or refuses by name. */
static const char *const honoured[] = {
	"images_dir_fd", "images_dir", "pid", "leave_running", "leave_stopped", "shell_job", "log_level", "log_file", "work_dir_fd", "rst_sibling",
	"timeout", "ghost_limit", "unprivileged", "skip_file_rwx_check", "ext_unix_sk", "tcp_established", "tcp_close", "evasive_devices",
	"file_locks", "link_remap", "inherit_fd", "external", "manage_cgroups", "manage_cgroups_mode", "freeze_cgroup", "cpu_cap", "network_lock", "pre_dump_mode", "tcp_skip_in_flight", "log_to_stderr", "notify_scripts",
};

static bool is_honoured(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(honoured); i++)
		if (!strcmp(honoured[i], name))
			return true;
	return false;
}

/* Whether the message holds a value for the field that says anything: a false bool does not. */
static bool is_set(const CriuOpts *opts, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)opts;

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(const size_t *)(base + field->quantifier_offset) > 0;
	if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(const void *const *)(base + field->offset) != NULL;
	if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !*(const protobuf_c_boolean *)(base + field->quantifier_offset))
		return false;
	return field->type != PROTOBUF_C_TYPE_BOOL || *(const protobuf_c_boolean *)(base + field->offset);
}

static int refuse_unknown(const CriuOpts *opts)
{
	for (unsigned int i = 0; i < criu_opts__descriptor.n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &criu_opts__descriptor.fields[i];

		if (!is_honoured(field->name) && is_set(opts, field))
			return err_set(ENOTSUP, "option %s is not supported yet", field->name);
	}
	if (opts->base.n_unknown_fields)
		return err_set(ENOTSUP, "option number %u is not known", opts->base.unknown_fields[0].tag);
	return 0;
}

static int open_peer_directory(pid_t peer, int fd, const char *option)
{
	int opened = proc_open(peer, O_RDONLY | O_DIRECTORY, "fd/%d", fd);

	if (opened < 0)
		err_errno("%s: descriptor %d of process %d cannot be opened as a directory", option, fd, peer);
	return opened;
}

static int open_directories(const CriuOpts *opts, pid_t peer, struct request *r)
{
	if (opts->images_dir_fd >= 0) {
		r->images_fd = open_peer_directory(peer, opts->images_dir_fd, "images_dir_fd");
	} else if (opts->images_dir) {
		r->images_fd = peer_open(peer, opts->images_dir, O_RDONLY | O_DIRECTORY);
		if (r->images_fd < 0)
			err_errno("images_dir %s", opts->images_dir);
	} else {
		err_set(EBADF, "neither images_dir_fd nor images_dir says where the images are");
	}
	if (r->images_fd < 0)
		return -1;
	r->work_fd = opts->has_work_dir_fd && opts->work_dir_fd >= 0 ? open_peer_directory(peer, opts->work_dir_fd, "work_dir_fd") :
								      r->images_fd;
	return r->work_fd < 0 ? -1 : 0;
}

int swrk_opts_take(const CriuOpts *opts, pid_t peer, struct request *r)
{
	*r = (struct request){ .images_fd = -1, .work_fd = -1, .peer = peer, .restore_detached = true };
	if (opts->has_log_level && (opts->log_level < 0 || opts->log_level > LOG_DEBUG))
		return err_set(EINVAL, "log_level %d: 0 to 4 are there", opts->log_level);
	if (opts->has_pid && opts->pid <= 0)
		return err_set(ESRCH, "there is no process with pid %d", opts->pid);
	if (refuse_unknown(opts) < 0 || open_directories(opts, peer, r) < 0)
		return -1;
	/* The accessors' defaults are those of the protocol: an unset field holds them. */
	r->pid = opts->pid;
	r->log_level = opts->log_level;
	r->log_file = opts->log_file ? opts->log_file : opts->log_to_stderr ? NULL : DEFAULT_LOG;
	r->leave_running = opts->leave_running;
	r->leave_stopped = opts->leave_stopped;
	r->shell_job = opts->shell_job;
	r->ext_unix_sk = opts->ext_unix_sk;
	r->tcp_established = opts->tcp_established;
	r->tcp_close = opts->tcp_close;
	r->evasive_devices = opts->evasive_devices;
	r->file_locks = opts->file_locks;
	r->link_remap = opts->link_remap;
	r->ghost_limit = opts->ghost_limit;
	r->timeout = opts->timeout;
	r->unprivileged = opts->unprivileged;
	r->skip_file_rwx_check = opts->skip_file_rwx_check;
	r->restore_sibling = opts->rst_sibling;
	r->ignore_cgroups = opts->has_manage_cgroups_mode &&
			    (opts->manage_cgroups_mode == CRIU_CG_MODE__IGNORE || opts->manage_cgroups_mode == CRIU_CG_MODE__CG_NONE);
	for (size_t i = 0; i < opts->n_inherit_fd; i++)
		if (inherit_add(r, peer, opts->inherit_fd[i]->fd, opts->inherit_fd[i]->key) < 0)
			return -1;
	for (size_t i = 0; i < opts->n_external; i++)
		if (external_add(r, opts->external[i]) < 0)
			return -1;
	return 0;
}

void swrk_opts_close(struct request *request)
{
	if (request->work_fd >= 0 && request->work_fd != request->images_fd)
		close(request->work_fd);
	if (request->images_fd >= 0)
		close(request->images_fd);
	request->work_fd = request->images_fd = -1;
}
