/* SPDX-License-Identifier: MIT */
#include "tree/pidns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/sysctl.h"
#include "common/util.h"
#include "resource/creds.h"
#include "tree/pidns_init.h"

/* With pid 1 taken anybody who may choose gets EEXIST, everybody else EPERM. */
bool pidns_can_choose(void)
{
	pid_t tid = 1;
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
	} args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1 };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid < 0 && errno == EEXIST;
}

static int write_map(const char *name, const char *text)
{
	auto_fd fd = proc_open(getpid(), O_WRONLY, "%s", name);

	return fd < 0 || write_all(fd, text, strlen(text)) < 0 ? err_errno("a new user namespace: cannot write its %s", name) : 0;
}

/* What unshare(2) has refused, for a person. */
static int refused(int code)
{
	static const char what[] = "restoring with the old pids takes CAP_CHECKPOINT_RESTORE or a user namespace, and ";

	if (syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS)
		return err_set(code, "restoring with the old pids takes clone3(2), which a container's seccomp profile (or a kernel before 5.5) refuses here: "
			       "allow it (Docker: --security-opt seccomp=unconfined, together with --cap-add CHECKPOINT_RESTORE)");
	if (sysctl_number("user/max_user_namespaces") == 0)
		return err_set(code, "%suser namespaces are off here: raise the sysctl user.max_user_namespaces, or give pcr the capability "
			       "(setcap cap_checkpoint_restore+ep pcr)", what);
	if (sysctl_number("kernel/unprivileged_userns_clone") == 0)
		return err_set(code, "%sthey are for root only here: set the sysctl kernel.unprivileged_userns_clone to 1, or give pcr the capability "
			       "(setcap cap_checkpoint_restore+ep pcr)", what);
	return err_set(code, "%sa user namespace is refused here (%s): a container's seccomp profile, or a limit; allow it (Docker: "
		       "--security-opt seccomp=unconfined), or give pcr the capability (--cap-add CHECKPOINT_RESTORE)", what, strerror(code));
}

int pidns_unshare(void)
{
	auto_free char *uids = xasprintf("%u %u 1", geteuid(), geteuid()), *gids = xasprintf("%u %u 1", getegid(), getegid());

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) < 0)
		return refused(errno);
	/* user_namespaces(7): without privilege outside, one's own ids only, and groups stay as they are. */
	if (write_map("setgroups", "deny") < 0 || write_map("uid_map", uids) < 0 || write_map("gid_map", gids) < 0)
		return -1;
	creds_in_namespace();
	return 0;
}

int pidns_start_init(struct pidns_init *init, int life)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno("cannot make a socket pair");
	init->pid = fork();
	if (init->pid == 0)
		pidns_init_main(ends[1], life);
	close(ends[1]);
	init->control = ends[0];
	if (init->pid < 0) {
		close(init->control);
		return err_errno("cannot start the first process of a pid namespace");
	}
	return 0;
}

static int ask(const struct pidns_init *init, int command, pid_t root, int *answer)
{
	struct pidns_command c = { .what = command, .root = root };

	if (send(init->control, &c, sizeof(c), MSG_NOSIGNAL) != sizeof(c) || recv(init->control, answer, sizeof(*answer), 0) != sizeof(*answer))
		return err_set(ECHILD, "the first process of the pid namespace has ended");
	return 0;
}

int pidns_mount_proc(const struct pidns_init *init)
{
	int answer;

	if (ask(init, PIDNS_MOUNT_PROC, 0, &answer) < 0)
		return -1;
	if (!answer)
		return 0;
	if (sysctl_number("kernel/apparmor_restrict_unprivileged_userns") == 1)
		return err_set(answer, "restoring with the old pids takes CAP_CHECKPOINT_RESTORE or a user namespace, and AppArmor takes all rights from "
			       "those here: set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0, or give pcr the capability (setcap "
			       "cap_checkpoint_restore+ep pcr)");
	return err_set(answer, "cannot mount /proc in a new pid namespace (%s): is a part of /proc covered, as in containers? Give pcr "
		       "CAP_CHECKPOINT_RESTORE (--cap-add CHECKPOINT_RESTORE), or leave /proc uncovered (Docker: --security-opt systempaths=unconfined)",
		       strerror(answer));
}

int pidns_release(const struct pidns_init *init, pid_t root)
{
	int answer;

	if (ask(init, PIDNS_RELEASE, root, &answer) < 0)
		return -1;
	close(init->control);
	return answer ? err_set(answer, "the first process of the pid namespace cannot watch pid %d: %s", root, strerror(answer)) : 0;
}

void pidns_kill(const struct pidns_init *init)
{
	kill(init->pid, SIGKILL);
	close(init->control);
}
