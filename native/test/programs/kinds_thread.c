/* SPDX-License-Identifier: MIT
 *
 * What a thread may have of its own, unlike its process, and an engine may refuse or restore, but not forget; one kind
 * by argument.
 */
#include "test.h"

#include <pthread.h>
#include <sys/resource.h>

static volatile int thread_ready;
static pthread_t thread;

static void *creds_thread(void *unused)
{
	(void)unused;
	check(syscall(SYS_setresgid, 100, 101, 102) == 0 && syscall(SYS_setresuid, 1000, 1001, 1002) == 0);
	thread_ready = 1;
	test_wait();
	check(getuid() == 1000 && geteuid() == 1001 && getgid() == 100, "uid %d %d gid %d", getuid(), geteuid(), getgid());
	return NULL;
}

static void *fs_thread(void *unused)
{
	char cwd[100];

	(void)unused;
	check(unshare(CLONE_FS) == 0 && chdir("/usr") == 0);
	umask(055);
	thread_ready = 1;
	test_wait();
	check(getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/usr"), "thread in %s", cwd);
	check(umask(0) == 055);
	return NULL;
}

static void *files_thread(void *unused)
{
	(void)unused;
	check(unshare(CLONE_FILES) == 0);
	check(open("/dev/zero", O_RDONLY) >= 0 && dup2(0, 100) == 100);
	thread_ready = 1;
	test_wait();
	check(fcntl(100, F_GETFD) >= 0, "the thread's own descriptor was lost");
	return NULL;
}

static void *nice_thread(void *unused)
{
	(void)unused;
	check(setpriority(PRIO_PROCESS, 0, 5) == 0);
	thread_ready = 1;
	test_wait();
	check(getpriority(PRIO_PROCESS, 0) == 5);
	return NULL;
}

static void start_thread(void *(*run)(void *))
{
	check(pthread_create(&thread, NULL, run, NULL) == 0);
	while (!thread_ready)
		sched_yield();
}

static void thread_creds_setup(void)
{
	start_thread(creds_thread);
}

static void thread_fs_setup(void)
{
	start_thread(fs_thread);
}

static void thread_files_setup(void)
{
	start_thread(files_thread);
}

static void thread_nice_setup(void)
{
	start_thread(nice_thread);
}

static void thread_verify(void)
{
	check(getuid() == 0 && fcntl(100, F_GETFD) < 0);
	check(getpriority(PRIO_PROCESS, 0) == 0);
	check(pthread_join(thread, NULL) == 0);
}

static void leader_gone_verify(void)
{
}

static void *leader_gone_thread(void *unused)
{
	(void)unused;
	while (1) {
		char path[64], text[512] = "";
		int fd;

		snprintf(path, sizeof path, "/proc/self/task/%d/stat", getpid());
		fd = open(path, O_RDONLY | O_CLOEXEC);
		check(read(fd, text, sizeof text - 1) > 0);
		close(fd);
		if (strstr(text, ") Z"))
			break;
		sched_yield();
	}
	test_ready();
	test_wait();
	test_pass();
}

static void leader_gone_setup(void)
{
	pthread_create(&thread, NULL, leader_gone_thread, NULL);
	syscall(SYS_exit, 0);
}

static const struct test_kind kinds[] = {
	{ "thread_creds", thread_creds_setup, thread_verify },
	{ "thread_fs", thread_fs_setup, thread_verify },
	{ "thread_files", thread_files_setup, thread_verify },
	{ "thread_nice", thread_nice_setup, thread_verify },
	{ "leader_gone", leader_gone_setup, leader_gone_verify },
};

int main(int argc, char **argv)
{
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof kinds[0], NULL);
}
