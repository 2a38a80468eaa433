/* SPDX-License-Identifier: MIT */
#include "cli/check_needs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sock_diag.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/capability.h"
#include "common/err.h"
#include "common/log.h"
#include "common/sysctl.h"
#include "common/util.h"
#include "lazy/handover.h"
#include "ptrace/seize.h"
#include "tree/pidns.h"

#define UFFD_WP_ASYNC (1 << 15) /* UFFD_FEATURE_WP_ASYNC, linux/userfaultfd.h of 6.7 */
#define TIMER_RESTORE_IDS 77 /* PR_TIMER_CREATE_RESTORE_IDS, linux/prctl.h of 6.15 */
#define TIMER_RESTORE_IDS_GET 2

/* In a child that may change itself as it likes. */
static bool in_child(bool (*look)(void))
{
	int status = 1;
	pid_t child = fork();

	if (child == 0) {
		log_init(2, LOG_MSG);
		_exit(look() ? 0 : 1);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

/* --- without these nothing works --- */

static bool has_ptrace(void)
{
	pid_t child = fork();
	bool ok;

	if (child == 0)
		for (;;)
			pause();
	ok = child > 0 && seize_thread(child) == 0 && wait_stopped(child, NULL, 0) == 0;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, __WALL);
	}
	return ok;
}

static bool has_kcmp(void)
{
	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0) == 0;
}

static bool has_children(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", getpid(), getpid());
	return access(path, R_OK) == 0;
}

static bool has_pidfd_getfd(void)
{
	auto_fd pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	auto_fd dup = pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, pidfd, 0);

	return dup >= 0;
}

static bool has_mm_map(void)
{
	unsigned int size = 0;

	return syscall(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) == 0;
}

static bool has_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0) < 0 && errno != ENOSYS;
}

static bool has_sock_diag(void)
{
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd >= 0;
}

/* --- old pids --- */

static bool choose_in_namespace(void)
{
	int status = 1;
	pid_t child;

	if (pidns_unshare() < 0)
		return false;
	child = fork();
	if (child == 0)
		_exit(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 && pidns_can_choose() ? 0 : 1);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

static bool has_pid_namespace(void)
{
	return has_clone3() && in_child(choose_in_namespace);
}

/* --- what one of the kinds of resource needs --- */

static bool has_map_files(void)
{
	char link[64], target[4096];
	unsigned long start, end;
	auto_file *maps = fopen("/proc/self/maps", "re");

	while (maps && fscanf(maps, "%lx-%lx%*[^\n]", &start, &end) == 2) {
		snprintf(link, sizeof(link), "/proc/self/map_files/%lx-%lx", start, end);
		if (readlink(link, target, sizeof(target)) > 0) {
			auto_fd fd = open(link, O_RDONLY | O_CLOEXEC);

			return fd >= 0;
		}
	}
	return false;
}

static bool has_exe_link(void)
{
	return has_capability(CAP_SYS_ADMIN) || has_capability(CAP_CHECKPOINT_RESTORE) || has_pid_namespace();
}

static bool has_userfault(uint64_t features)
{
	auto_fd fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = { .api = UFFD_API, .features = features };

	return fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0;
}

static bool has_dirty_track(void)
{
	return has_userfault(UFFD_WP_ASYNC);
}

static bool has_uffd(void)
{
	return lazy_possible();
}

static bool has_pagemap_scan(void)
{
	auto_fd fd = proc_open(getpid(), O_RDONLY, "pagemap");

	/* With arguments that are not there, EFAULT; where the request is not known, ENOTTY. */
	return fd >= 0 && ioctl(fd, _IOWR('f', 16, char[96]), NULL) < 0 && errno != ENOTTY;
}

static bool has_net_admin(void)
{
	return has_capability(CAP_NET_ADMIN);
}

static bool has_net_raw(void)
{
	return has_capability(CAP_NET_RAW);
}

static bool has_admin(void)
{
	return has_capability(CAP_SYS_ADMIN);
}

static bool has_sys_ptrace(void)
{
	return has_capability(CAP_SYS_PTRACE);
}

static bool has_set_ids(void)
{
	return has_capability(CAP_SETUID) && has_capability(CAP_SETGID);
}

static bool has_resource(void)
{
	return has_capability(CAP_SYS_RESOURCE);
}

static bool has_nice(void)
{
	return has_capability(CAP_SYS_NICE);
}

static bool has_lock(void)
{
	return has_capability(CAP_IPC_LOCK);
}

static bool has_chroot(void)
{
	return has_capability(CAP_SYS_CHROOT);
}

static bool has_rseq_conf(void)
{
	struct {
		uint64_t pointer;
		uint32_t size, signature, flags, pad;
	} conf;

	/* Of a process that we do not trace: ESRCH; EIO where the request is not known. */
	return ptrace(0x420f, getpid(), sizeof(conf), &conf) < 0 && errno == ESRCH;
}

static bool has_membarrier(void)
{
	return syscall(SYS_membarrier, 1 << 9, 0, 0) >= 0; /* MEMBARRIER_CMD_GET_REGISTRATIONS, Linux 6.3 */
}

static bool has_timer_ids(void)
{
	return prctl(TIMER_RESTORE_IDS, TIMER_RESTORE_IDS_GET, 0, 0, 0) >= 0;
}

static bool has_loginuid(void)
{
	return access("/proc/self/loginuid", R_OK) == 0;
}

static bool has_time_namespace(void)
{
	return access("/proc/self/ns/time", F_OK) == 0 &&
	       (pidns_can_choose() ? has_capability(CAP_SYS_ADMIN) && has_capability(CAP_SYS_TIME) : has_pid_namespace());
}

#define ROOT "run pcr as root or with "

const struct need needs[] = {
	{ "ptrace", NULL, "stopping processes (PTRACE_SEIZE)", "a seccomp profile or Yama refuses it", has_ptrace, true },
	{ "kcmp", "kcmp", "telling shared descriptors apart", "a kernel with CONFIG_KCMP, and a seccomp profile that lets kcmp through (Docker: --cap-add SYS_PTRACE)", has_kcmp, true },
	{ "children", NULL, "finding the tree", "a kernel with CONFIG_PROC_CHILDREN", has_children, true },
	{ "pidfd_getfd", "pidfd_store", "looking at descriptors from outside", "Linux 5.6, and a seccomp profile that lets pidfd_getfd through (Docker: --cap-add SYS_PTRACE)", has_pidfd_getfd, true },
	{ "mm_map", NULL, "restoring memory layouts (PR_SET_MM_MAP)", "a kernel with CONFIG_CHECKPOINT_RESTORE", has_mm_map, true },
	{ "sock_diag", "net_diag_raw", "seeing sockets", "a kernel with CONFIG_INET_DIAG and CONFIG_UNIX_DIAG", has_sock_diag, true },
	{ "clone3", NULL, "making processes with chosen pids", "Linux 5.5, and a seccomp profile that lets clone3 through", has_clone3, false },
	{ NEED_PIDS, "clone3_set_tid", "restoring with the old pids outside of a namespace", ROOT "CAP_CHECKPOINT_RESTORE", pidns_can_choose, false },
	{ NEED_PIDNS, "userns", "restoring with the old pids in a user and pid namespace of one's own", "allow user namespaces", has_pid_namespace, false },
	{ "exe_link", NULL, "giving a restored process its executable back (/proc/PID/exe)", ROOT "CAP_CHECKPOINT_RESTORE, or allow user namespaces",
	  has_exe_link, false },
	{ "map_files", NULL, "reaching mapped files that have no name any more; without it their pages are read one by one",
	  ROOT "CAP_CHECKPOINT_RESTORE", has_map_files, false },
	{ "mem_dirty_track", "mem_dirty_track", "incremental dumps (PAGEMAP_SCAN, UFFD_FEATURE_WP_ASYNC)", "Linux 6.7", has_dirty_track, false },
	{ "pagemap_scan", "pagemap_scan", "finding changed pages fast (PAGEMAP_SCAN)", "Linux 6.7", has_pagemap_scan, false },
	{ "uffd", "uffd-noncoop", "lazy restore (userfaultfd)", ROOT "CAP_SYS_PTRACE (the kernel tells nobody else of forks), a kernel with CONFIG_USERFAULTFD, and a seccomp profile that lets it through",
	  has_uffd, false },
	{ "tcp_repair", "tcp_half_closed", "TCP connections to peers outside the tree", ROOT "CAP_NET_ADMIN", has_net_admin, false },
	{ "raw_sockets", NULL, "raw and packet sockets", ROOT "CAP_NET_RAW", has_net_raw, false },
	{ "seccomp_suspend", "seccomp_suspend", "processes under seccomp filters that pcr is not under itself", ROOT "CAP_SYS_ADMIN", has_admin, false },
	{ "other_users", NULL, "dumping other users' processes, and those that are not dumpable", ROOT "CAP_SYS_PTRACE", has_sys_ptrace, false },
	{ "set_ids", NULL, "restoring other users' processes", ROOT "CAP_SETUID and CAP_SETGID", has_set_ids, false },
	{ "raise_limits", NULL, "hard limits above pcr's own; oom_score_adj below pcr's own", ROOT "CAP_SYS_RESOURCE", has_resource, false },
	{ "raise_priority", NULL, "nice values below pcr's own, real-time scheduling", ROOT "CAP_SYS_NICE", has_nice, false },
	{ "lock_memory", NULL, "locked memory above RLIMIT_MEMLOCK", ROOT "CAP_IPC_LOCK, or raise the limit (ulimit -l)", has_lock, false },
	{ "chroot", NULL, "processes with a root directory of their own", ROOT "CAP_SYS_CHROOT", has_chroot, false },
	{ "rseq", "get_rseq_conf", "restartable sequences", "Linux 5.13", has_rseq_conf, false },
	{ "membarrier", "membarrier_get_registrations", "registrations for membarrier(2)", "Linux 6.3", has_membarrier, false },
	{ "timer_ids", "timer_cr_ids", "POSIX timers with high ids, fast", "Linux 6.15", has_timer_ids, false },
	{ "time_namespace", "timens", "clocks that go on after a restart of the machine or on another one", "Linux 5.6; " ROOT "CAP_SYS_ADMIN and CAP_SYS_TIME",
	  has_time_namespace, false },
	{ "loginuid", "loginuid", "login uids of the audit system", "a kernel with CONFIG_AUDITSYSCALL", has_loginuid, false },
};
const size_t need_count = ARRAY_LEN(needs);

/* --- what narrows this user --- */

const char *const *narrowed(void)
{
	static const char *lines[8];
	size_t n = 0;
	long yama = sysctl_number("kernel/yama/ptrace_scope");

	if (yama == 1 && !has_capability(CAP_SYS_PTRACE))
		lines[n++] = "kernel.yama.ptrace_scope is 1: only one's own descendants can be traced. Still works: programs under `pcr supervise`, programs that "
			     "called prctl(PR_SET_PTRACER), trees that pcr restored in a namespace, every restore";
	if (yama == 2 && !has_capability(CAP_SYS_PTRACE))
		lines[n++] = "kernel.yama.ptrace_scope is 2: tracing takes CAP_SYS_PTRACE. Still works: restoring in a namespace, dumping trees that pcr "
			     "restored in one";
	if (yama == 3)
		lines[n++] = "kernel.yama.ptrace_scope is 3: nobody can trace anything until the machine is booted again. Still works: nothing but reading images";
	if (pidns_can_choose())
		goto out;
	if (sysctl_number("user/max_user_namespaces") == 0)
		lines[n++] = "user.max_user_namespaces is 0: there are no user namespaces. Still works: dumping; restoring with CAP_CHECKPOINT_RESTORE (setcap "
			     "cap_checkpoint_restore+ep pcr)";
	if (sysctl_number("kernel/unprivileged_userns_clone") == 0)
		lines[n++] = "kernel.unprivileged_userns_clone is 0: user namespaces are for root only. Still works: dumping; restoring with "
			     "CAP_CHECKPOINT_RESTORE (setcap cap_checkpoint_restore+ep pcr)";
	if (sysctl_number("kernel/apparmor_restrict_unprivileged_userns") == 1)
		lines[n++] = "kernel.apparmor_restrict_unprivileged_userns is 1: user namespaces give no rights to programs without an AppArmor profile that "
			     "allows it. Still works: dumping; restoring with CAP_CHECKPOINT_RESTORE (setcap cap_checkpoint_restore+ep pcr)";
out:
	lines[n] = NULL;
	return lines;
}
