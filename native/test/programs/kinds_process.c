/* SPDX-License-Identifier: MIT
 *
 * Properties of processes that an engine may refuse or restore, but not forget; one kind by argument.
 */
#include "test.h"

#include <asm/ldt.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/io.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/sem.h>

#ifndef PR_SYS_DISPATCH_OFF
#define PR_SYS_DISPATCH_OFF 0
#endif

static timer_t timer;

static void posix_timer_setup(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 42 };
	struct itimerspec t = { .it_value = { 5000, 0 }, .it_interval = { 66, 7 } };

	check(timer_create(CLOCK_MONOTONIC, &e, &timer) == 0 && timer_settime(timer, 0, &t, NULL) == 0);
}

static void posix_timer_verify(void)
{
	struct itimerspec t;

	check(timer_gettime(timer, &t) == 0 && t.it_interval.tv_sec == 66 && t.it_interval.tv_nsec == 7, "the timer was lost");
	check(t.it_value.tv_sec > 4000 && t.it_value.tv_sec <= 5000);
}

static void seccomp_setup(void)
{
	/* getppid gives EACCES, all else is allowed */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
}

static void seccomp_verify(void)
{
	check(syscall(SYS_getppid) < 0 && errno == EACCES, "the filter was lost");
}

static pid_t child;

static void zombie_setup(void)
{
	siginfo_t info;

	child = test_fork();
	if (!child)
		_exit(77);
	check(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
}

static void zombie_verify(void)
{
	int status = 0;

	check(waitpid(child, &status, WNOHANG) == child && WEXITSTATUS(status) == 77, "the zombie was lost: %x", status);
}

static void stopped_setup(void)
{
	siginfo_t info;

	child = test_fork();
	if (!child) {
		raise(SIGSTOP);
		_exit(78);
	}
	check(waitid(P_PID, child, &info, WSTOPPED | WNOWAIT) == 0);
}

static void stopped_verify(void)
{
	int status = 0;

	check(waitpid(child, &status, WNOHANG) == 0 || WIFSTOPPED(status), "the stopped child ended: %x", status);
	check(kill(child, SIGCONT) == 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 78);
}

static void nice_setup(void)
{
	check(setpriority(PRIO_PROCESS, 0, 7) == 0);
}

static void nice_verify(void)
{
	check(getpriority(PRIO_PROCESS, 0) == 7, "nice %d", getpriority(PRIO_PROCESS, 0));
}

static void scheduler_setup(void)
{
	struct sched_param p = { .sched_priority = 3 };

	check(sched_setscheduler(0, SCHED_RR, &p) == 0);
}

static void scheduler_verify(void)
{
	struct sched_param p = { 0 };

	check(sched_getscheduler(0) == SCHED_RR && sched_getparam(0, &p) == 0 && p.sched_priority == 3);
}

static void reset_on_fork_setup(void)
{
	struct sched_param p = { .sched_priority = 7 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p) < 0)
		test_skip("no real-time policy allowed");
}

static void reset_on_fork_verify(void)
{
	check(sched_getscheduler(0) == (SCHED_FIFO | SCHED_RESET_ON_FORK), "policy %x", sched_getscheduler(0));
}

static void affinity_setup(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	check(sched_setaffinity(0, sizeof one, &one) == 0);
}

static void affinity_verify(void)
{
	cpu_set_t now;

	check(sched_getaffinity(0, sizeof now, &now) == 0 && CPU_COUNT(&now) == 1 && CPU_ISSET(0, &now), "on %d processors",
	      CPU_COUNT(&now));
}

static void ioprio_setup(void)
{
	check(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6) == 0);
}

static void ioprio_verify(void)
{
	check(syscall(SYS_ioprio_get, 1, 0) == (2 << 13 | 6), "%lx", syscall(SYS_ioprio_get, 1, 0));
}

static void uts_setup(void)
{
	check(unshare(CLONE_NEWUTS) == 0 && sethostname("other", 5) == 0);
}

static void uts_verify(void)
{
	char name[100];

	check(gethostname(name, sizeof name) == 0 && !strcmp(name, "other"), "host name %s", name);
}

static void net_setup(void)
{
	check(unshare(CLONE_NEWNET) == 0);
}

static void net_verify(void)
{
	FILE *f = fopen("/proc/self/net/dev", "re");
	char line[300];
	int n = 0;

	while (fgets(line, sizeof line, f))
		n += strchr(line, ':') != NULL;
	check(n == 1, "%d network devices, was 1", n);
}

static void child_pidns_setup(void)
{
	check(unshare(CLONE_NEWPID) == 0);
	child = test_fork();
	if (!child) {
		test_mark("child");
		test_wait();
		check(getpid() == 1, "pid %d in a namespace of its own", getpid());
		_exit(0);
	}
	test_await("child");
}

static void child_verify(void)
{
	test_join(child);
}

static void user_setup(void)
{
	check(unshare(CLONE_NEWUSER) == 0);
}

static void user_verify(void)
{
	check(getuid() == 65534, "uid %d", getuid());
}

static void mount_setup(void)
{
	check(unshare(CLONE_NEWNS) == 0);
}

static void mount_verify(void)
{
	struct stat mine, theirs;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/ns/mnt", getppid());
	check(stat("/proc/self/ns/mnt", &mine) == 0 && stat(path, &theirs) == 0 && mine.st_ino != theirs.st_ino,
	      "in the mount namespace of its parent");
}

static void landlock_setup(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_DIR };
	int fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

	if (fd < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		test_skip("no Landlock in this kernel");
	check(fd >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	check(syscall(SYS_landlock_restrict_self, fd, 0) == 0);
	close(fd);
}

static void landlock_verify(void)
{
	check(mkdir(test_path("forbidden"), 0755) < 0 && errno == EACCES, "the Landlock domain was lost");
}

static void ldt_setup(void)
{
	struct user_desc d = { .entry_number = 3, .base_addr = 0, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1,
			       .useable = 1 };

	check(syscall(SYS_modify_ldt, 1, &d, sizeof d) == 0);
}

static void ldt_verify(void)
{
	char table[64] = "";

	check(syscall(SYS_modify_ldt, 0, table, sizeof table) >= 32 && (table[24] | table[29]), "the LDT was lost");
}

static void ioperm_setup(void)
{
	if (ioperm(0x80, 1, 1) && errno == ENOSYS)
		test_skip("no I/O ports in this kernel");
}

static void ioperm_verify(void)
{
	outb(0, 0x80); /* SIGSEGV when the permission was lost */
}

static volatile char selector;

static void dispatch_setup(void)
{
	check(prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 1, 0, 0, &selector) == 0);
}

static volatile sig_atomic_t sys_caught;

static void on_sys(int sig)
{
	(void)sig;
	selector = 0;
	sys_caught++;
}

static void dispatch_verify(void)
{
	signal(SIGSYS, on_sys);
	selector = 1; /* block */
	syscall(SYS_getppid);
	selector = 0;
	check(sys_caught == 1, "system call dispatch was lost");
}

static void coredump_filter_setup(void)
{
	FILE *f = fopen("/proc/self/coredump_filter", "we");

	check(f && fprintf(f, "0x7") > 0 && fclose(f) == 0);
}

static void coredump_filter_verify(void)
{
	FILE *f = fopen("/proc/self/coredump_filter", "re");
	int v = 0;

	check(f && fscanf(f, "%x", &v) == 1 && v == 7, "coredump_filter %x", v);
}

static void membarrier_setup(void)
{
	check(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0);
}

static void membarrier_verify(void)
{
	check(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0, "the registration was lost");
}

static void mce_kill_setup(void)
{
	check(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) == 0);
}

static void mce_kill_verify(void)
{
	check(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_EARLY);
}

static void tsc_setup(void)
{
	check(prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0);
}

static void tsc_verify(void)
{
	int v = 0;

	check(prctl(PR_GET_TSC, &v) == 0 && v == PR_TSC_SIGSEGV);
}

static void mempolicy_setup(void)
{
	unsigned long nodes = 1;

	check(syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8) == 0);
}

static void mempolicy_verify(void)
{
	unsigned long nodes[16] = { 0 };
	int mode = 0;

	check(syscall(SYS_get_mempolicy, &mode, nodes, 1024, 0, 0) == 0 && mode == MPOL_BIND, "mode %d", mode);
	check(nodes[0] == 1, "nodes %lx", nodes[0]);
}

static int semaphore;

static void semundo_setup(void)
{
	struct sembuf op = { 0, -1, SEM_UNDO };

	semaphore = semget(IPC_PRIVATE, 1, 0600);
	check(semaphore >= 0 && semctl(semaphore, 0, SETVAL, 5) == 0);
	child = test_fork();
	if (!child) {
		check(semop(semaphore, &op, 1) == 0);
		test_mark("child");
		test_await("turn");
		_exit(0);
	}
	test_await("child");
	/* the runner kills the tree by dumping it: the undo of that end is not ours */
}

static void semundo_verify(void)
{
	int before = semctl(semaphore, 0, GETVAL), after;

	test_mark("turn");
	test_join(child);
	after = semctl(semaphore, 0, GETVAL);
	semctl(semaphore, 0, IPC_RMID);
	check(after == before + 1, "%d after the child's end, %d before: SEM_UNDO was lost", after, before);
}

static aio_context_t aio;

static void aio_setup(void)
{
	check(syscall(SYS_io_setup, 8, &aio) == 0);
}

static void aio_verify(void)
{
	struct timespec none = { 0, 0 };
	struct io_event e;

	check(syscall(SYS_io_getevents, aio, 0, 1, &e, &none) == 0, "the AIO context was lost");
}

static void mlockall_setup(void)
{
	check(mlockall(MCL_FUTURE) == 0);
}

static void mlockall_verify(void)
{
	char line[300];
	void *p = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long start = 0;
	int locked = 0;
	FILE *f = fopen("/proc/self/smaps", "re");

	while (fgets(line, sizeof line, f)) {
		unsigned long x, y;

		if (sscanf(line, "%lx-%lx ", &x, &y) == 2)
			start = x <= (unsigned long)p && (unsigned long)p < y;
		else if (start && !strncmp(line, "VmFlags:", 8))
			locked = strstr(line, " lo") != NULL;
	}
	check(locked, "MCL_FUTURE was lost");
}

static const struct test_kind kinds[] = {
	{ "posix_timer", posix_timer_setup, posix_timer_verify },
	{ "seccomp", seccomp_setup, seccomp_verify },
	{ "zombie", zombie_setup, zombie_verify },
	{ "stopped", stopped_setup, stopped_verify },
	{ "nice", nice_setup, nice_verify },
	{ "scheduler", scheduler_setup, scheduler_verify },
	{ "reset_on_fork", reset_on_fork_setup, reset_on_fork_verify },
	{ "affinity", affinity_setup, affinity_verify },
	{ "ioprio", ioprio_setup, ioprio_verify },
	{ "uts_namespace", uts_setup, uts_verify },
	{ "net_namespace", net_setup, net_verify },
	{ "pid_namespace", child_pidns_setup, child_verify },
	{ "user_namespace", user_setup, user_verify },
	{ "mount_namespace", mount_setup, mount_verify },
	{ "landlock", landlock_setup, landlock_verify },
	{ "ldt", ldt_setup, ldt_verify },
	{ "ioperm", ioperm_setup, ioperm_verify },
	{ "dispatch", dispatch_setup, dispatch_verify },
	{ "coredump_filter", coredump_filter_setup, coredump_filter_verify },
	{ "membarrier", membarrier_setup, membarrier_verify },
	{ "mce_kill", mce_kill_setup, mce_kill_verify },
	{ "tsc", tsc_setup, tsc_verify },
	{ "mempolicy", mempolicy_setup, mempolicy_verify },
	{ "sem_undo", semundo_setup, semundo_verify },
	{ "aio", aio_setup, aio_verify },
	{ "mlockall", mlockall_setup, mlockall_verify },
};

int main(int argc, char **argv)
{
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof kinds[0], NULL);
}
