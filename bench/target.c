/* SPDX-License-Identifier: MIT
 *
 * The program that the benchmark checkpoints: so much memory, so many threads, so many processes, and a way to prove
 * after a restore that every one of them is there and every byte is right.
 *
 *   target --report FILE --seed N [--mib N] [--zero-half] [--threads N] [--processes N] [--mappings N] [--descriptors N]
 *          [--write MIB_PER_SECOND]
 *
 * It appends one line to FILE when it is set up ("ready ..."), and one more ("verify ...") for each SIGUSR1 it gets:
 *
 *   ready|verify PID checksum=HEX threads=N processes=N gap_us=N written=N write_us=N
 *
 * checksum   of the root's memory, computed anew each time, so that a lost or misplaced page shows
 * threads    threads of the root that answered when they were woken (the first one included)
 * processes  processes of the tree that answered and found their own memory unchanged (the root included)
 * gap_us     the longest time, in microseconds, that the root did not run since the line before: it wakes every
 *            millisecond and looks at CLOCK_MONOTONIC, so after a dump this is the freeze as seen from inside,
 *            accurate to about that millisecond
 * written    bytes written by --write since the line before, into 256 MiB of their own, one page after the other
 * write_us   processor time that this took
 *
 * --mappings and --descriptors have so many more of them (of one page each; of one file of its own name each). Else descriptors beyond stdin, stdout and stderr are not held open (FILE is opened for each line), so what is measured
 * is memory, threads and processes and nothing else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	WRITE_BYTES = 256 << 20,      /* --write: what is written over and over */
	ZERO_BLOCK = 64 * 1024,	      /* --zero-half: every second block of this size is zeros */
	CHILD_MEMORY = 64 * 1024,     /* memory of each process below the root, bytes */
	CHILDREN_PER_PROCESS = 10,    /* the tree is filled level by level, ten to each parent */
	ANSWER_SECONDS = 60,
};

static const char *report_path;
static uint64_t *memory;
static size_t memory_bytes;

static char *scratch; /* --write */
static unsigned long write_mib_per_s;
static uint64_t written, write_us;

static unsigned wake_round;	 /* futex: threads sleep while it keeps its value */
static unsigned threads_answered; /* futex: how many have seen the new round */
static unsigned thread_count;	 /* beside the first */

static void die(const char *what)
{
	fprintf(stderr, "target: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Fills with xorshift64* output: incompressible, no page equal to another. */
static void fill(uint64_t *words, size_t bytes, uint64_t seed, int zero_half)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

	for (size_t i = 0; i < bytes / 8; i++) {
		if (zero_half && (i * 8 / ZERO_BLOCK) % 2) {
			words[i] = 0; /* written, so that the page is there */
			continue;
		}
		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		words[i] = x * 0x2545f4914f6cdd1du;
	}
}

/* Depends on the position of each word, not only on its value. */
static uint64_t checksum(const uint64_t *words, size_t bytes)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bytes / 8; i++)
		sum = sum * 0x100000001b3u + words[i];
	return sum;
}

static uint64_t *allocate(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static long futex(unsigned *word, int op, unsigned value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

/* Sleeps until the round changes, answers, sleeps again. */
static void *sleeper(void *arg)
{
	unsigned round = 0;

	(void)arg;
	for (;;) {
		while (__atomic_load_n(&wake_round, __ATOMIC_ACQUIRE) == round)
			futex(&wake_round, FUTEX_WAIT, round, NULL);
		round++;
		__atomic_add_fetch(&threads_answered, 1, __ATOMIC_ACQ_REL);
		futex(&threads_answered, FUTEX_WAKE, 1, NULL);
	}
	return NULL;
}

static void start_threads(void)
{
	for (unsigned i = 0; i < thread_count; i++) {
		pthread_t thread;
		int error = pthread_create(&thread, NULL, sleeper, NULL);

		if (error) {
			errno = error;
			die("pthread_create");
		}
	}
}

/* Wakes every thread once. Returns how many answered, this one included. */
static unsigned count_threads(void)
{
	struct timespec now, end;
	unsigned seen;

	__atomic_store_n(&threads_answered, 0, __ATOMIC_RELEASE);
	__atomic_add_fetch(&wake_round, 1, __ATOMIC_ACQ_REL);
	futex(&wake_round, FUTEX_WAKE, thread_count, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ANSWER_SECONDS;
	while ((seen = __atomic_load_n(&threads_answered, __ATOMIC_ACQUIRE)) < thread_count) {
		struct timespec step = { .tv_nsec = 100 * 1000 * 1000 };

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end.tv_sec)
			break;
		futex(&threads_answered, FUTEX_WAIT, seen, &step);
	}
	return seen + 1;
}

/* Asks each child to verify itself and its own children; they answer with a queued signal that carries the number of
 * sound processes in their part of the tree. Signals rather than pipes: the tree then has no descriptors to measure. */
static unsigned count_processes(const pid_t *children, unsigned n)
{
	unsigned sound = 1, answers = 0;
	sigset_t answer;

	sigemptyset(&answer);
	sigaddset(&answer, SIGRTMIN);
	for (unsigned i = 0; i < n; i++)
		if (kill(children[i], SIGUSR1))
			return 0;
	while (answers < n) {
		struct timespec patience = { .tv_sec = ANSWER_SECONDS };
		siginfo_t info;

		if (sigtimedwait(&answer, &info, &patience) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		answers++;
		sound += (unsigned)info.si_value.sival_int;
	}
	return sound;
}

/* Forks the part of the tree below process `index` (the root is 0). Returns in each process of it, with that
 * process's own index, and its children's pids in `children`. */
static unsigned start_processes(unsigned index, unsigned total, pid_t *children, unsigned *n)
{
	*n = 0;
	for (unsigned i = 1; i <= CHILDREN_PER_PROCESS; i++) {
		unsigned child = index * CHILDREN_PER_PROCESS + i;
		pid_t pid;

		if (child >= total)
			break;
		pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0) {
			return start_processes(child, total, children, n);
		}
		children[(*n)++] = pid;
	}
	return index;
}

/* A process below the root: answers its parent, for ever. */
static void child_main(unsigned index, uint64_t seed, const pid_t *children, unsigned n)
{
	uint64_t *mine = allocate(CHILD_MEMORY), sum;
	sigset_t wait;
	int signal;

	fill(mine, CHILD_MEMORY, seed + index, 0);
	sum = checksum(mine, CHILD_MEMORY);
	sigemptyset(&wait);
	sigaddset(&wait, SIGUSR1);
	for (;;) {
		union sigval answer;
		unsigned sound;

		if (sigwait(&wait, &signal))
			continue;
		sound = count_processes(children, n);
		if (sound && checksum(mine, CHILD_MEMORY) != sum)
			sound--;
		answer.sival_int = (int)sound;
		sigqueue(getppid(), SIGRTMIN, answer);
	}
}

static void report(const char *word, unsigned threads, unsigned processes, uint64_t gap_us)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "%s %d checksum=%016llx threads=%u processes=%u gap_us=%llu written=%llu write_us=%llu\n", word,
			 getpid(), (unsigned long long)checksum(memory, memory_bytes), threads, processes, (unsigned long long)gap_us,
			 (unsigned long long)written, (unsigned long long)write_us);
	int fd = open(report_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, line, (size_t)n) != n)
		die(report_path);
	close(fd);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* What is due after so many microseconds, whole pages. */
static void write_due(uint64_t elapsed_us)
{
	static uint64_t owed, at;
	uint64_t begin = cpu_us();

	owed += elapsed_us * write_mib_per_s * 1024 * 1024 / 1000000;
	for (; owed >= 4096; owed -= 4096) {
		memset(scratch + at, (int)(written >> 12), 4096);
		at = (at + 4096) % WRITE_BYTES;
		written += 4096;
	}
	write_us += cpu_us() - begin;
}

/* Pages of their own, alternately protected, so that no two become one mapping. */
static void map_many(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		char *p = mmap(NULL, 4096, PROT_READ | (i % 2 ? PROT_WRITE : PROT_EXEC), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("mmap");
	}
}

static void open_many(unsigned long count)
{
	struct rlimit limit;
	char path[4096];

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned long i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s.%lu", report_path, i);
		if (open(path, O_RDWR | O_CREAT, 0644) < 0)
			die(path);
	}
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (!*text || *end) {
		fprintf(stderr, "target: not a number: %s\n", text);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "report", required_argument, NULL, 'r' },    { "seed", required_argument, NULL, 's' },
		{ "mib", required_argument, NULL, 'm' },       { "zero-half", no_argument, NULL, 'z' },
		{ "threads", required_argument, NULL, 't' },   { "processes", required_argument, NULL, 'p' },
		{ "mappings", required_argument, NULL, 'M' },  { "descriptors", required_argument, NULL, 'd' },
		{ "write", required_argument, NULL, 'w' },     { NULL, 0, NULL, 0 },
	};
	unsigned long mappings = 0, descriptors = 0;
	pid_t children[CHILDREN_PER_PROCESS];
	unsigned n, index, processes = 1;
	uint64_t seed = 1, last, gap = 0;
	size_t mib = 1;
	int option, zero_half = 0;
	sigset_t set;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r': report_path = optarg; break;
		case 's': seed = number(optarg); break;
		case 'm': mib = number(optarg); break;
		case 'z': zero_half = 1; break;
		case 't': thread_count = (unsigned)number(optarg) - 1; break;
		case 'p': processes = (unsigned)number(optarg); break;
		case 'M': mappings = number(optarg); break;
		case 'd': descriptors = number(optarg); break;
		case 'w': write_mib_per_s = number(optarg); break;
		default: return 2;
		}
	}
	if (!report_path) {
		fprintf(stderr, "target: --report FILE is needed\n");
		return 2;
	}

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGRTMIN);

	index = start_processes(0, processes, children, &n);
	if (index)
		child_main(index, seed, children, n);

	memory_bytes = mib * 1024 * 1024;
	memory = allocate(memory_bytes);
	fill(memory, memory_bytes, seed, zero_half);
	map_many(mappings);
	open_many(descriptors);
	if (write_mib_per_s) {
		scratch = (char *)allocate(WRITE_BYTES);
		memset(scratch, 1, WRITE_BYTES);
	}
	start_threads();
	report("ready", count_threads(), count_processes(children, n), 0);

	last = now_us();
	for (;;) {
		struct timespec millisecond = { .tv_nsec = 1000 * 1000 };
		int signal = sigtimedwait(&set, NULL, &millisecond);
		uint64_t now = now_us();

		if (now - last > gap)
			gap = now - last;
		if (write_mib_per_s)
			write_due(now - last);
		last = now;
		if (signal != SIGUSR1)
			continue;
		report("verify", count_threads(), count_processes(children, n), gap);
		gap = written = write_us = 0;
		last = now_us();
	}
}
