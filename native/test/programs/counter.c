/* SPDX-License-Identifier: MIT
 *
 * The target for killing engines: threads that check themselves in every round. They publish how often
 * they have been round in DIR/counters, a shared file mapping of 64-bit words: [0] is not zero when one found a
 * difference, [1 + thread] its count. With argument "tree", a child does the same from word 16 on.
 */
#include "test.h"

#include <pthread.h>

static volatile uint64_t *counters;

/* Counts a round of thread i, then rests a little: others need the processors too. */
#define ROUND(i)                                                                        \
	do {                                                                            \
		struct timespec rest = { 0, 500000 };                                   \
		__atomic_fetch_add(&counters[1 + (i)], 1, __ATOMIC_RELAXED);            \
		nanosleep(&rest, NULL);                                                 \
	} while (0)

static int base;

static void wrong(int what)
{
	__atomic_store_n(&counters[0], (uint64_t)getpid() << 32 | what, __ATOMIC_RELAXED);
}

static void *registers(void *unused)
{
	(void)unused;
	for (;;) {
		uint64_t ok = 0;

		asm volatile("mov $0x1111111111111111, %%rax\n mov $0x2222222222222222, %%rbx\n"
			     "mov $0x3333333333333333, %%r8\n mov $0x4444444444444444, %%r15\n"
			     "mov $0x5555555555555555, %%rdx\n movq %%rax, %%xmm3\n movq %%rbx, %%xmm15\n"
			     "mov $20000, %%ecx\n"
			     "1: pause\n dec %%ecx\n jnz 1b\n"
			     "movq %%xmm3, %%rsi\n movq %%xmm15, %%rdi\n"
			     "sub %%rax, %%rsi\n sub %%rbx, %%rdi\n or %%rdi, %%rsi\n"
			     "add %%rax, %%r15\n cmp %%r15, %%rdx\n jne 2f\n"
			     "add %%rbx, %%rax\n cmp %%rax, %%r8\n jne 2f\n"
			     "test %%rsi, %%rsi\n jnz 2f\n"
			     "mov $1, %0\n 2:\n"
			     : "+r"(ok)
			     :
			     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r15", "xmm3", "xmm15", "cc");
		if (ok != 1)
			wrong(1);
		ROUND(base);
	}
	return NULL;
}

static void *system_calls(void *unused)
{
	pid_t pid = getpid(), tid = syscall(SYS_gettid);

	(void)unused;
	for (;;) {
		int i;

		for (i = 0; i < 500; i++) {
			if (syscall(SYS_getpid) != pid || syscall(SYS_gettid) != tid)
				wrong(2);
			if (syscall(SYS_close, -1) != -1 || errno != EBADF)
				wrong(3);
		}
		ROUND(base + 1);
	}
	return NULL;
}

static void *sleeper(void *unused)
{
	(void)unused;
	for (;;) {
		struct timespec t = { 0, 300000 };

		if (nanosleep(&t, NULL) && errno != EINTR)
			wrong(4);
		__atomic_fetch_add(&counters[1 + base + 2], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int pipes[2];

static void *pipe_writer(void *unused)
{
	uint32_t n;

	(void)unused;
	for (n = 0;; n++)
		if (write(pipes[1], &n, 4) != 4)
			wrong(5);
	return NULL;
}

static void *pipe_reader(void *unused)
{
	uint32_t n, got;

	(void)unused;
	for (n = 0;; n++) {
		if (read(pipes[0], &got, 4) != 4 || got != n)
			wrong(6);
		if (n % 1000 == 0)
			ROUND(base + 3);
	}
	return NULL;
}

static void *memory(void *unused)
{
	static unsigned char block[64 * PAGE];
	uint32_t n;

	(void)unused;
	for (n = 0;; n++) {
		test_pattern(block, sizeof block, n);
		if (!test_pattern_ok(block, sizeof block, n))
			wrong(7);
		ROUND(base + 4);
	}
	return NULL;
}

static void run(void)
{
	void *(*const all[])(void *) = { registers, system_calls, sleeper, pipe_writer, pipe_reader, memory };
	pthread_t t;
	int i;

	check(pipe(pipes) == 0);
	for (i = 0; i < 6; i++)
		check(pthread_create(&t, NULL, all[i], NULL) == 0);
	for (i = 0; i < 5; i++)
		while (!counters[1 + base + i])
			sched_yield();
}

int main(int argc, char **argv)
{
	int fd;
	pid_t child = 0;

	test_init(argc, argv);
	fd = open(test_path("counters"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	check(fd >= 0 && ftruncate(fd, PAGE) == 0);
	counters = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (argc > 2) {
		child = test_fork();
		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			base = 15;
			run();
			test_mark("child");
			test_wait();
			_exit(counters[0] != 0);
		}
		test_await("child");
	}
	run();
	test_ready();
	test_wait();
	if (child)
		test_join(child);
	check(counters[0] == 0, "kind of error and pid: %lx", counters[0]);
	test_pass();
}
