/* SPDX-License-Identifier: MIT */
#include "cli/option_table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/action_script.h"
#include "cli/null_stdio.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/cpuinfo.h"
#include "resource/inherit.h"

int option_number(const char *option, const char *text, unsigned long max, unsigned long *value)
{
	static const char units[] = "KkMmGg";
	const char *unit;
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (end == text || errno || *text == '-' || (*end && (!unit || end[1])))
		return err_set(EINVAL, "%s: '%s' is not a number", option, text);
	for (long i = unit ? (unit - units) / 2 : -1; i >= 0 && *value <= max; i--)
		*value <<= 10;
	if (*value > max)
		return err_set(EINVAL, "%s: %s is out of range (0 to %lu)", option, text, max);
	return 0;
}

static int take_tree(struct command *c, const char *value)
{
	unsigned long pid;

	if (option_number("-t", value, INT32_MAX, &pid) < 0)
		return -1;
	if (!pid)
		return err_set(EINVAL, "-t: 0 is no pid");
	c->request.pid = pid;
	return 0;
}

/* -v raises the level by one, -vv by two, -v3 and --verbosity=3 set it. */
static int take_verbosity(struct command *c, const char *value)
{
	unsigned long level;

	if (!value || *value == 'v') {
		size_t letters = value ? strspn(value, "v") : 0;

		if (value && value[letters])
			return letters && strspn(value + letters, "0123456789") == strlen(value + letters)
				       ? take_verbosity(c, value + letters)
				       : err_set(EINVAL, "-v%s: -v, -vv or -v3 are taken", value);
		c->request.log_level += 1 + letters;
	} else {
		if (option_number("--verbosity", value, INT32_MAX, &level) < 0)
			return -1;
		c->request.log_level = level > LOG_DEBUG ? LOG_DEBUG : level;
	}
	if (c->request.log_level > LOG_DEBUG)
		c->request.log_level = LOG_DEBUG;
	return 0;
}

#define TAKE_TEXT(field)                                                    \
	static int take_##field(struct command *c, const char *value)       \
	{                                                                   \
		c->TAKE_##field = value;                                    \
		return 0;                                                   \
	}
#define TAKE_images images
#define TAKE_work work
#define TAKE_log_file request.log_file
#define TAKE_pidfile request.pidfile
#define TAKE_parent_img request.parent_img
#define TAKE_address address
#define TAKE_config request.config
#define TAKE_feature check.feature
TAKE_TEXT(images)
TAKE_TEXT(work)
TAKE_TEXT(log_file)
TAKE_TEXT(pidfile)
TAKE_TEXT(parent_img)
TAKE_TEXT(address)
TAKE_TEXT(config)
TAKE_TEXT(feature)

static int take_uint32(const char *option, const char *value, uint32_t *to)
{
	unsigned long number;

	if (option_number(option, value, UINT32_MAX, &number) < 0)
		return -1;
	*to = number;
	return 0;
}

static int take_ghost_limit(struct command *c, const char *value)
{
	unsigned long bytes;

	if (option_number("--ghost-limit", value, LONG_MAX, &bytes) < 0)
		return -1;
	/* The request's field has 32 bits. */
	c->request.ghost_limit = bytes < UINT32_MAX ? bytes : UINT32_MAX;
	return 0;
}

static int take_timeout(struct command *c, const char *value)
{
	return take_uint32("--timeout", value, &c->request.timeout);
}

static int take_port(struct command *c, const char *value)
{
	unsigned long port;

	if (option_number("--port", value, UINT16_MAX, &port) < 0)
		return -1;
	c->request.ps_port = port;
	return 0;
}

static int take_number_of_fd(const struct command *c, const char *option, const char *value, int *to)
{
	unsigned long fd;

	if (c->from_client)
		return err_set(EINVAL, "%s: descriptor numbers have no meaning here", option);
	if (option_number(option, value, INT32_MAX, &fd) < 0)
		return -1;
	*to = fd;
	return 0;
}

/* A descriptor that must be open already. */
static int take_fd(const struct command *c, const char *option, const char *value, int *to)
{
	if (take_number_of_fd(c, option, value, to) < 0)
		return -1;
	return fcntl(*to, F_GETFD) < 0 ? err_errno("%s: descriptor %d", option, *to) : 0;
}

static int take_ps_socket(struct command *c, const char *value)
{
	return take_fd(c, "--ps-socket", value, &c->request.ps_fd);
}

static int take_status_fd(struct command *c, const char *value)
{
	return take_fd(c, "--status-fd", value, &c->request.status_fd);
}

static int take_close(struct command *c, const char *value)
{
	int fd = -1;

	if (take_number_of_fd(c, "--close", value, &fd) < 0)
		return -1;
	/* The numbers of standard streams are not to be given to anything else. */
	if (fd <= 2)
		return null_stdio_one(fd);
	/* It need not be open: scripts name what they might have inherited. */
	close(fd);
	return 0;
}

static int take_peer(struct command *c, const char *value)
{
	return peer_parse(&c->request.service_peer, value);
}

static int take_target(struct command *c, const char *value)
{
	struct request *r = &c->request;

	return sscanf(value, "%d:%llu", &r->target, &r->target_start) == 2 ? 0 : err_set(EINVAL, "--target takes PID:START, not '%s'", value);
}

static int take_action_script(struct command *c, const char *value)
{
	return action_script_add(&c->request, value);
}

static int take_inherit_fd(struct command *c, const char *value)
{
	if (c->from_client)
		return err_set(EINVAL, "--inherit-fd: descriptor numbers have no meaning here");
	return inherit_parse(&c->request, value);
}

static int take_external(struct command *c, const char *value)
{
	return external_add(&c->request, value);
}

static int take_join_ns(struct command *c, const char *value)
{
	return join_ns_parse(&c->request, value);
}

/* -x, --ext-unix-sk[=INODE[,INODE...]]: those sockets only, or any. */
static int take_ext_unix_sk(struct command *c, const char *value)
{
	auto_free char *list = value ? xstrdup(value) : NULL;
	char *rest = NULL;

	if (!value)
		c->request.ext_unix_sk = true;
	for (char *word = list ? strtok_r(list, ",", &rest) : NULL; word; word = strtok_r(NULL, ",", &rest)) {
		uint32_t inode;

		if (take_uint32("--ext-unix-sk", word, &inode) < 0)
			return -1;
		unix_sk_ino_add(&c->request, inode);
	}
	return 0;
}


static int take_manage_cgroups(struct command *c, const char *value)
{
	static const struct {
		const char *name;
		enum cgroup_mode mode;
	} modes[] = { { "none", CGROUPS_NONE }, { "props", CGROUPS_PROPS },   { "soft", CGROUPS_SOFT },
		      { "full", CGROUPS_FULL }, { "strict", CGROUPS_STRICT }, { "ignore", CGROUPS_IGNORE } };

	c->request.cgroup_mode = CGROUPS_SOFT;
	for (size_t i = 0; value && i < ARRAY_LEN(modes); i++)
		if (!strcmp(value, modes[i].name)) {
			c->request.cgroup_mode = modes[i].mode;
			return 0;
		}
	return value ? err_set(EINVAL, "--manage-cgroups=%s: none, props, soft, full, strict and ignore are there", value) : 0;
}

/* [CONTROLLER:]/PATH; a named hierarchy's controller is name=NAME. */
static int take_cgroup_root(struct command *c, const char *value)
{
	auto_free char *controller = value[0] == '/' ? NULL : xstrdup(value);
	char *colon = controller ? strchr(controller, ':') : NULL;

	if (controller && !colon)
		return cgroup_root_add(&c->request, NULL, value);
	if (colon)
		*colon = 0;
	return cgroup_root_add(&c->request, controller, colon ? colon + 1 : value);
}

static int take_cgroup_controller(struct command *c, const char *value)
{
	cgroup_controller_add(&c->request, value);
	return 0;
}

static int take_cgroup_yard(struct command *c, const char *value)
{
	c->request.cgroup_yard = value;
	return 0;
}

static int take_network_lock(struct command *c, const char *value)
{
	if (!strcmp(value, "iptables"))
		c->request.network_lock = NETWORK_LOCK_IPTABLES;
	else if (!strcmp(value, "nftables"))
		c->request.network_lock = NETWORK_LOCK_NFTABLES;
	else if (!strcmp(value, "skip"))
		c->request.network_lock = NETWORK_LOCK_SKIP;
	else
		return err_set(EINVAL, "--network-lock %s: iptables, nftables and skip are there", value);
	return 0;
}

static int take_progress_fd(struct command *c, const char *value)
{
	unsigned long fd;

	if (option_number("--progress-fd", value, INT_MAX, &fd) < 0)
		return -1;
	if (fcntl(fd, F_GETFL) < 0)
		return err_errno("--progress-fd %lu", fd);
	c->request.progress_fd = fd;
	return 0;
}

static int take_snapshot(struct command *c, const char *value)
{
	c->request.snapshot = !strcmp(value, "fork") ? SNAPSHOT_FORK : SNAPSHOT_FREEZE;
	if (c->request.snapshot == SNAPSHOT_FREEZE && strcmp(value, "freeze"))
		return err_set(EINVAL, "--snapshot %s: fork and freeze are there", value);
	return 0;
}

static int take_pre_dump_mode(struct command *c, const char *value)
{
	c->request.pre_dump_read = !strcmp(value, "read");
	if (!c->request.pre_dump_read && strcmp(value, "splice"))
		return err_set(EINVAL, "--pre-dump-mode %s: splice and read are there", value);
	return 0;
}

static int take_file_validation(struct command *c, const char *value)
{
	if (value && strcmp(value, "filesize") && strcmp(value, "buildid"))
		return err_set(EINVAL, "--file-validation %s: filesize and buildid are there", value);
	c->request.only_file_sizes = value && !strcmp(value, "filesize");
	return 0;
}

static int take_cpu_cap(struct command *c, const char *value)
{
	c->request.has_cpu_cap = true;
	return cpu_cap_parse(value, &c->request.cpu_cap);
}

#define FLAG(field) offsetof(struct command, field)
#define NO_NETWORK "page servers speak plain TCP: tunnel the connection (--ps-socket) instead"
#define FIXED_PROPERTIES "which properties of control groups are kept is fixed"

const struct option_def option_table[] = {
	{ "tree", 't', ARG_VALUE, 0, take_tree },
	{ "images-dir", 'D', ARG_VALUE, 0, take_images },
	{ "work-dir", 'W', ARG_VALUE, 0, take_work },
	{ "log-file", 'o', ARG_VALUE, 0, take_log_file },
	{ "verbosity", 'v', ARG_MAYBE, 0, take_verbosity },
	{ "log-pid", 0, ARG_NONE }, /* each line of the one log names its process */
	{ "display-stats", 0, ARG_NONE, FLAG(request.display_stats) },
	{ "config", 0, ARG_VALUE, 0, take_config },
	{ "no-default-config", 0, ARG_NONE, FLAG(request.no_default_config) },
	{ "pidfile", 0, ARG_VALUE, 0, take_pidfile },
	{ "close", 0, ARG_VALUE, 0, take_close },
	{ "action-script", 0, ARG_VALUE, 0, take_action_script },
	{ "unprivileged", 0, ARG_NONE, FLAG(request.unprivileged) },
	{ "libdir", 'L', ARG_VALUE }, /* there are no plugins to be found anywhere */
	{ "version", 'V', ARG_NONE, FLAG(version) },
	{ "help", 'h', ARG_NONE, FLAG(help) },
	/* both ways */
	{ "leave-running", 'R', ARG_NONE, FLAG(request.leave_running), .undoes = FLAG(request.leave_stopped) },
	{ "leave-stopped", 's', ARG_NONE, FLAG(request.leave_stopped), .undoes = FLAG(request.leave_running) },
	{ "restore-detached", 'd', ARG_NONE, FLAG(request.restore_detached) },
	{ "daemon", 0, ARG_NONE, FLAG(daemon) },
	{ "restore-sibling", 'S', ARG_NONE, FLAG(request.restore_sibling) },
	{ "exec-cmd", 0, ARG_NONE, FLAG(exec_cmd) },
	{ "shell-job", 'j', ARG_NONE, FLAG(request.shell_job) },
	{ "ext-unix-sk", 'x', ARG_MAYBE, 0, take_ext_unix_sk },
	{ "tcp-established", 0, ARG_NONE, FLAG(request.tcp_established) },
	{ "tcp-close", 0, ARG_NONE, FLAG(request.tcp_close) },
	{ "skip-in-flight", 0, ARG_NONE, FLAG(request.tcp_skip_in_flight) },
	{ "file-locks", 'l', ARG_NONE, FLAG(request.file_locks) },
	{ "link-remap", 0, ARG_NONE, FLAG(request.link_remap) },
	{ "evasive-devices", 0, ARG_NONE, FLAG(request.evasive_devices) },
	{ "skip-file-rwx-check", 0, ARG_NONE, FLAG(request.skip_file_rwx_check) },
	{ "file-validation", 0, ARG_VALUE, 0, take_file_validation },
	{ "ghost-limit", 0, ARG_VALUE, 0, take_ghost_limit },
	{ "ghost-fiemap", 0, ARG_NONE }, /* a way of CRIU's to find holes */
	{ "timeout", 0, ARG_VALUE, 0, take_timeout },
	{ "cpu-cap", 0, ARG_MAYBE, 0, take_cpu_cap },
	{ "network-lock", 0, ARG_VALUE, 0, take_network_lock },
	{ "inherit-fd", 0, ARG_VALUE, 0, take_inherit_fd },
	{ "external", 0, ARG_VALUE, 0, take_external },
	{ "manage-cgroups", 0, ARG_MAYBE, 0, take_manage_cgroups },
	{ "freeze-cgroup", 0, ARG_VALUE }, /* tasks are stopped one by one all the same */
	{ "cgroup-root", 0, ARG_VALUE, 0, take_cgroup_root },
	{ "cgroup-props", 0, ARG_VALUE, .refused = FIXED_PROPERTIES },
	{ "cgroup-props-file", 0, ARG_VALUE, .refused = FIXED_PROPERTIES },
	{ "cgroup-dump-controller", 0, ARG_VALUE, 0, take_cgroup_controller },
	{ "cgroup-yard", 0, ARG_VALUE, 0, take_cgroup_yard },
	{ "force-irmap", 0, ARG_NONE }, /* watches are always noted by path */
	{ "irmap-scan-path", 0, ARG_VALUE },
	{ "lsm-profile", 0, ARG_VALUE, .refused = "no security module's profiles are restored" },
	/* memory */
	{ "track-mem", 0, ARG_NONE, FLAG(request.track_mem) },
	{ "prev-images-dir", 0, ARG_VALUE, 0, take_parent_img },
	{ "auto-dedup", 0, ARG_NONE, FLAG(request.auto_dedup) },
	{ "pre-dump-mode", 0, ARG_VALUE, 0, take_pre_dump_mode },
	{ "snapshot", 0, ARG_VALUE, 0, take_snapshot },
	{ "progress-fd", 0, ARG_VALUE, 0, take_progress_fd },
	{ "lazy-pages", 0, ARG_NONE, FLAG(request.lazy_pages) },
	{ "page-server", 0, ARG_NONE, FLAG(request.use_page_server) },
	{ "address", 0, ARG_VALUE, 0, take_address },
	{ "port", 0, ARG_VALUE, 0, take_port },
	{ "ps-socket", 0, ARG_VALUE, 0, take_ps_socket },
	{ "status-fd", 0, ARG_VALUE, 0, take_status_fd },
	{ "stream", 0, ARG_NONE, .refused = "images are files in a directory; pack them with pcr's own archives" },
	{ "tls", 0, ARG_NONE, .refused = NO_NETWORK },
	{ "tls-cacert", 0, ARG_VALUE, .refused = NO_NETWORK },
	{ "tls-cacrl", 0, ARG_VALUE, .refused = NO_NETWORK },
	{ "tls-cert", 0, ARG_VALUE, .refused = NO_NETWORK },
	{ "tls-key", 0, ARG_VALUE, .refused = NO_NETWORK },
	{ "tls-no-cn-verify", 0, ARG_NONE, .refused = NO_NETWORK },
	/* of namespaces, which a dumped tree shares with pcr: there is nothing that they could change */
	{ "root", 'r', ARG_VALUE },
	{ "skip-mnt", 0, ARG_VALUE },
	{ "enable-fs", 0, ARG_VALUE },
	{ "ext-mount-map", 'M', ARG_VALUE },
	{ "enable-external-sharing", 0, ARG_NONE },
	{ "enable-external-masters", 0, ARG_NONE },
	{ "mntns-compat-mode", 0, ARG_NONE },
	{ "lsm-mount-context", 0, ARG_VALUE },
	{ "veth-pair", 0, ARG_VALUE },
	{ "empty-ns", 0, ARG_VALUE },
	{ "weak-sysctls", 0, ARG_NONE },
	{ "join-ns", 'J', ARG_VALUE, 0, take_join_ns },
	{ "allow-uprobes", 0, ARG_NONE },
	/* check */
	{ "extra", 0, ARG_NONE, FLAG(check.extra) },
	{ "experimental", 0, ARG_NONE, FLAG(check.experimental) },
	{ "all", 0, ARG_NONE, FLAG(check.all) },
	{ "feature", 0, ARG_VALUE, 0, take_feature },
	/* pcr's own */
	{ "json", 0, ARG_NONE, FLAG(check.json) },
	{ "peer", 0, ARG_VALUE, 0, take_peer },
	{ "target", 0, ARG_VALUE, 0, take_target },
};
const size_t option_count = ARRAY_LEN(option_table);
