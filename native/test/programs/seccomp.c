/* SPDX-License-Identifier: MIT
 *
 * seccomp(2), by argument: "strict" in a child, "chain": two filters one after the other, "tsync": threads that share them and can
 * go on sharing, "threads": each thread its own, "child": inherited and added to, "tight": allows next to nothing.
 */
#include "test.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>

#define THREADS 3

static pthread_barrier_t barrier;
static pthread_t threads[THREADS];

/* System call nr gives error, all else is allowed. */
static void forbid(long nr, int error, int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) == 0);
}

static int error_of(long nr)
{
	return syscall(nr, -1, 0, 0, 0, 0, 0) < 0 ? errno : 0;
}

static void *tsync_thread(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	check(error_of(SYS_getppid) == EXDEV && error_of(SYS_getpgid) == EMFILE, "the filter was lost");
	check(error_of(SYS_setfsuid) == ENOTTY, "the filter that came after was not shared");
	return NULL;
}

static void *own_thread(void *number)
{
	forbid(SYS_getppid, 100 + (int)(long)number, 0);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	check(error_of(SYS_getppid) == 100 + (int)(long)number, "thread %ld: %d", (long)number, error_of(SYS_getppid));
	return NULL;
}

static void start(void *(*run)(void *))
{
	check(pthread_barrier_init(&barrier, NULL, THREADS + 1) == 0);
	for (long i = 0; i < THREADS; i++)
		check(pthread_create(&threads[i], NULL, run, (void *)i) == 0);
	pthread_barrier_wait(&barrier);
}

static void join(void)
{
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* In strict mode there is read, write, exit and rt_sigreturn: it echoes. */
static void strict_child(int in, int out)
{
	char c;

	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
	while (read(in, &c, 1) == 1 && c != 'k')
		if (write(out, &c, 1) != 1)
			break;
	if (c == 'k')
		syscall(SYS_getpid);
	syscall(SYS_exit, 0);
}

static void strict(void)
{
	int in[2], out[2], status;
	char c = 0;
	pid_t child;

	check(pipe(in) == 0 && pipe(out) == 0);
	child = test_fork();
	if (!child)
		strict_child(in[0], out[1]);
	check(write(in[1], "a", 1) == 1 && read(out[0], &c, 1) == 1 && c == 'a');
	test_ready();
	test_wait();
	check(write(in[1], "b", 1) == 1 && read(out[0], &c, 1) == 1 && c == 'b', "it does not answer");
	check(write(in[1], "k", 1) == 1 && waitpid(child, &status, 0) == child);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "strict mode was lost: status %x", status);
}

/* Only what sleeping, looking for a file, writing and ending take. */
static void tight_child(void)
{
	static const int allowed[] = { SYS_clock_nanosleep, SYS_nanosleep, SYS_access, SYS_faccessat, SYS_newfstatat, SYS_stat, SYS_exit_group,
				       SYS_sched_yield, SYS_restart_syscall };
	struct sock_filter code[sizeof allowed / sizeof *allowed + 3];
	struct sock_fprog prog = { sizeof code / sizeof *code, code };
	int n = sizeof allowed / sizeof *allowed;

	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (int i = 0; i < n; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], n - i, 0);
	code[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	test_mark("tight");
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0);
	test_wait();
	_exit(9);
}

static void tight(void)
{
	pid_t child = test_fork();
	char path[64], text[4096];
	int status, fd;

	if (!child)
		tight_child();
	snprintf(path, sizeof path, "/proc/%d/status", child);
	do {
		memset(text, 0, sizeof text);
		fd = open(path, O_RDONLY);
		check(read(fd, text, sizeof text - 1) > 0);
		close(fd);
	} while (!strstr(text, "Seccomp:\t2"));
	test_ready();
	test_wait();
	check(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 9, "status %x", status);
}

static void child_of_filtered(void)
{
	pid_t child;

	forbid(SYS_getppid, EXDEV, SECCOMP_FILTER_FLAG_LOG);
	child = test_fork();
	if (!child) {
		forbid(SYS_getpgid, EMFILE, 0);
		test_mark("child");
		test_wait();
		check(error_of(SYS_getppid) == EXDEV && error_of(SYS_getpgid) == EMFILE, "the child's filters were lost");
		_exit(0);
	}
	test_await("child");
	test_ready();
	test_wait();
	check(error_of(SYS_getppid) == EXDEV && error_of(SYS_getpgid) != EMFILE, "the parent's filter was lost");
	test_join(child);
}

int main(int argc, char **argv)
{
	const char *kind = argv[2];

	test_init(argc, argv);
	check(argc == 3);
	if (!strcmp(kind, "strict")) {
		strict();
	} else if (!strcmp(kind, "tight")) {
		tight();
	} else if (!strcmp(kind, "child")) {
		child_of_filtered();
	} else if (!strcmp(kind, "chain")) {
		forbid(SYS_getppid, EACCES, 0);
		forbid(SYS_getppid, EXDEV, 0);
		forbid(SYS_getpgid, EMFILE, SECCOMP_FILTER_FLAG_LOG);
		/* a second one for getppid decides nothing (the first in the order of severity does), but it must not get lost */
		test_ready();
		test_wait();
		check(error_of(SYS_getppid) == EXDEV, "getppid: %d", error_of(SYS_getppid));
		check(error_of(SYS_getpgid) == EMFILE, "getpgid: %d", error_of(SYS_getpgid));
	} else if (!strcmp(kind, "tsync")) {
		start(tsync_thread);
		forbid(SYS_getppid, EXDEV, SECCOMP_FILTER_FLAG_TSYNC);
		forbid(SYS_getpgid, EMFILE, SECCOMP_FILTER_FLAG_TSYNC);
		test_ready();
		test_wait();
		forbid(SYS_setfsuid, ENOTTY, SECCOMP_FILTER_FLAG_TSYNC);
		join();
	} else if (!strcmp(kind, "threads")) {
		start(own_thread);
		test_ready();
		test_wait();
		check(error_of(SYS_getppid) == 0, "the main thread has no filter");
		join();
	}
	test_pass();
}
