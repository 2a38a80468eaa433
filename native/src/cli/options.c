/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "cli/action_script.h"
#include "common/err.h"
#include "common/log.h"
#include "resource/inherit.h"

const char options_usage[] =
	"Usage: pcr dump -t PID -D DIR [options]\n"
	"       pcr restore -D DIR [options]\n"
	"       pcr check\n"
	"       pcr swrk FD [--peer PID[:START:UID:GID:SOCKET]] [--target PID:START]\n"
	"       pcr supervise --socket PATH --status-file FILE [--pidfile FILE] [--daemon] [--service-socket PATH] -- PROGRAM ARG...\n"
	"       pcr supervise --socket PATH --status-file FILE [--pidfile FILE] [--daemon] --restore -D DIR [options]\n"
	"\n"
	"  -t, --tree PID           process tree to dump, by its root\n"
	"  -D, --images-dir DIR     images directory (default: the working directory)\n"
	"  -W, --work-dir DIR       logs, pidfile and statistics go here (default: the images directory)\n"
	"  -o, --log-file FILE      log file in the work directory (default: standard error)\n"
	"  -v[N], --verbosity[=N]   how much is logged: 0 to 4 (default 2)\n"
	"  -R, --leave-running      let the tree run on after the dump\n"
	"  -s, --leave-stopped      leave the tree stopped after the dump\n"
	"  -j, --shell-job          the tree belongs to a session of its caller\n"
	"      --ext-unix-sk, --tcp-established, --tcp-close, --file-locks, --link-remap, --evasive-devices\n"
	"                           allow what these name (-l is --file-locks)\n"
	"      --ghost-limit SIZE   largest deleted file that is kept in the images\n"
	"      --timeout SECONDS    how long freezing may take (default 10)\n"
	"  -d, --restore-detached   end when the tree runs\n"
	"  -S, --restore-sibling    make the restored root a child of pcr's parent\n"
	"      --pidfile FILE       write the restored root's pid here\n"
	"      --unprivileged       no capability is at hand; nothing changes by it\n"
	"      --inherit-fd fd[N]:KEY  restore: descriptor N takes the place of this file: a path, pipe:[INODE], socket:[INODE], tty[RDEV:DEV],\n"
	"                           file[MOUNT:INODE]\n"
	"      --external KEY       dump: leave this file to whoever restores: file[MOUNT:INODE], tty[RDEV:DEV]\n"
	"      --manage-cgroups[=ignore]  control groups are noted and entered again (the default), or not\n"
	"      --action-script FILE run at each stage, named by CRTOOLS_SCRIPT_ACTION; its failure ends the action\n"
	"      --network-lock METHOD, --cpu-cap[=CAP], --no-default-config\n"
	"                           taken for criu's sake: processors are always compared, no configuration file is read\n"
	"  -V, --version            print the version\n"
	"  -h, --help               print this\n";

enum long_only {
	OPT_EXT_UNIX_SK = 256,
	OPT_TCP_ESTABLISHED,
	OPT_TCP_CLOSE,
	OPT_FILE_LOCKS,
	OPT_LINK_REMAP,
	OPT_EVASIVE_DEVICES,
	OPT_GHOST_LIMIT,
	OPT_TIMEOUT,
	OPT_PIDFILE,
	OPT_UNPRIVILEGED,
	OPT_SKIP_RWX,
	OPT_PEER,
	OPT_ACTION_SCRIPT,
	OPT_FOR_CRIU,
	OPT_TARGET,
	OPT_INHERIT_FD,
	OPT_EXTERNAL,
	OPT_MANAGE_CGROUPS,
	OPT_FREEZE_CGROUP,
};

static const struct option long_options[] = {
	{ "tree", required_argument, NULL, 't' },
	{ "images-dir", required_argument, NULL, 'D' },
	{ "work-dir", required_argument, NULL, 'W' },
	{ "log-file", required_argument, NULL, 'o' },
	{ "verbosity", optional_argument, NULL, 'v' },
	{ "leave-running", no_argument, NULL, 'R' },
	{ "leave-stopped", no_argument, NULL, 's' },
	{ "shell-job", no_argument, NULL, 'j' },
	{ "ext-unix-sk", no_argument, NULL, OPT_EXT_UNIX_SK },
	{ "tcp-established", no_argument, NULL, OPT_TCP_ESTABLISHED },
	{ "tcp-close", no_argument, NULL, OPT_TCP_CLOSE },
	{ "file-locks", no_argument, NULL, OPT_FILE_LOCKS },
	{ "link-remap", no_argument, NULL, OPT_LINK_REMAP },
	{ "evasive-devices", no_argument, NULL, OPT_EVASIVE_DEVICES },
	{ "ghost-limit", required_argument, NULL, OPT_GHOST_LIMIT },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "restore-detached", no_argument, NULL, 'd' },
	{ "restore-sibling", no_argument, NULL, 'S' },
	{ "pidfile", required_argument, NULL, OPT_PIDFILE },
	{ "unprivileged", no_argument, NULL, OPT_UNPRIVILEGED },
	{ "skip-file-rwx-check", no_argument, NULL, OPT_SKIP_RWX },
	{ "peer", required_argument, NULL, OPT_PEER },
	{ "target", required_argument, NULL, OPT_TARGET },
	{ "action-script", required_argument, NULL, OPT_ACTION_SCRIPT },
	{ "network-lock", required_argument, NULL, OPT_FOR_CRIU },
	{ "cpu-cap", optional_argument, NULL, OPT_FOR_CRIU },
	{ "no-default-config", no_argument, NULL, OPT_FOR_CRIU },
	{ "inherit-fd", required_argument, NULL, OPT_INHERIT_FD },
	{ "external", required_argument, NULL, OPT_EXTERNAL },
	{ "manage-cgroups", optional_argument, NULL, OPT_MANAGE_CGROUPS },
	{ "freeze-cgroup", required_argument, NULL, OPT_FREEZE_CGROUP },
	{ 0 },
};

/* A whole number from 0 to max; a K, M or G behind it multiplies. */
static int parse_number(const char *option, const char *text, unsigned long max, unsigned long *value)
{
	static const char units[] = "KMG";
	char *end, *unit;

	errno = 0;
	*value = strtoul(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		for (int i = 0; i <= unit - units && *value <= max; i++)
			*value <<= 10;
		end++;
	}
	if (errno || end == text || *end || *text == '-' || *value > max)
		return err_set(EINVAL, "%s takes a number up to %lu, not '%s'", option, max, text);
	return 0;
}

/* criu(8): -v counts up, -v4 sets. */
static int parse_verbosity(const char *text, int *level)
{
	unsigned long value;

	if (!text || !strcmp(text, "v")) {
		*level += text ? 2 : 1;
		return 0;
	}
	if (parse_number("-v", text, 4, &value) < 0)
		return -1;
	*level = value;
	return 0;
}

int options_parse(int argc, char **argv, struct request *r, struct paths *paths)
{
	int opt, counted = 0;
	unsigned long value = 0;

	opterr = 0;
	optind = 1;
	while ((opt = getopt_long(argc, argv, "+:t:D:W:o:v::RsjdSlh", long_options, NULL)) != -1) {
		const char *given = optind > 0 && optind <= argc ? argv[optind - 1] : "";

		switch (opt) {
		case 't':
			if (parse_number("-t", optarg, INT32_MAX, &value) < 0)
				return -1;
			r->pid = value;
			break;
		case 'D': paths->images = optarg; break;
		case 'W': paths->work = optarg; break;
		case 'o': r->log_file = optarg; break;
		case 'v':
			if (parse_verbosity(optarg, optarg ? &r->log_level : &counted) < 0)
				return -1;
			break;
		case 'R': r->leave_running = true; break;
		case 's': r->leave_stopped = true; break;
		case 'j': r->shell_job = true; break;
		case 'd': r->restore_detached = true; break;
		case 'S': r->restore_sibling = true; break;
		case OPT_EXT_UNIX_SK: r->ext_unix_sk = true; break;
		case OPT_TCP_ESTABLISHED: r->tcp_established = true; break;
		case OPT_TCP_CLOSE: r->tcp_close = true; break;
		case OPT_ACTION_SCRIPT:
			r->action_script = optarg;
			r->notify = action_script_run;
			break;
		case OPT_FOR_CRIU: break;
		case 'l':
		case OPT_FILE_LOCKS: r->file_locks = true; break;
		case OPT_LINK_REMAP: r->link_remap = true; break;
		case OPT_EVASIVE_DEVICES: r->evasive_devices = true; break;
		case OPT_UNPRIVILEGED: r->unprivileged = true; break;
		case OPT_SKIP_RWX: r->skip_file_rwx_check = true; break;
		case OPT_INHERIT_FD:
			if (inherit_parse(r, optarg) < 0)
				return -1;
			break;
		case OPT_MANAGE_CGROUPS:
			/* The other modes say what becomes of limits, which are left alone in any. */
			r->ignore_cgroups = optarg && (!strcmp(optarg, "ignore") || !strcmp(optarg, "none"));
			break;
		case OPT_FREEZE_CGROUP: break; /* tasks are stopped one by one all the same */
		case OPT_EXTERNAL:
			if (external_add(r, optarg) < 0)
				return -1;
			break;
		case OPT_PIDFILE: r->pidfile = optarg; break;
		case OPT_GHOST_LIMIT:
			if (parse_number("--ghost-limit", optarg, UINT32_MAX, &value) < 0)
				return -1;
			r->ghost_limit = value;
			break;
		case OPT_TIMEOUT:
			if (parse_number("--timeout", optarg, UINT32_MAX, &value) < 0)
				return -1;
			r->timeout = value;
			break;
		case OPT_PEER:
			if (peer_parse(&r->service_peer, optarg) < 0)
				return -1;
			break;
		case OPT_TARGET:
			if (sscanf(optarg, "%d:%llu", &r->target, &r->target_start) != 2)
				return err_set(EINVAL, "--target takes PID:START, not '%s'", optarg);
			break;
		case ':': return err_set(EINVAL, "option %s needs a value (pcr --help lists them)", given);
		case 'h': return err_set(EINVAL, "see pcr --help");
		default:
			if (optopt && optopt < 256)
				return err_set(EINVAL, "unknown option -%c (pcr --help lists what there is)", optopt);
			return err_set(EINVAL, "unknown option %s (pcr --help lists what there is)", given);
		}
	}
	if (counted)
		r->log_level = counted > LOG_DEBUG ? LOG_DEBUG : counted;
	if (optind < argc)
		return err_set(EINVAL, "'%s' is not expected here (pcr --help lists what there is)", argv[optind]);
	return 0;
}
