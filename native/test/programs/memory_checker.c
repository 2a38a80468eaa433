/* SPDX-License-Identifier: MIT
 *
 * Notices an image that is not of one instant, or that lacks a write. Several processes with several threads each write all the time;
 * each thread numbers what it writes and knows, in other memory, which number every page of its has. Before it writes
 * a page it looks whether all of the page holds that number; a page that is older or newer than the rest of the
 * process is found at the latest when the program ends. A ring through shared memory ties the processes to each other: a process writes
 * round n only after the one before it has, and finds its own memory, the shared memory and its neighbours' word in step.
 *
 * In between, each thread does to its pages what write tracking may lose: moves, protects, drops, unmaps them, forks, and lets the
 * kernel write into them.
 *
 *   memory_checker DIR [PROCESSES [THREADS [PAGES [NAP_US]]]]
 *
 * DIR/counters, a shared file mapping of 64-bit words, has rounds: [1 + process * THREADS + thread].
 */
#include "test.h"

#include <pthread.h>
#include <sys/uio.h>

#define PROCESSES_MAX 16
#define THREADS_MAX 16
#define WORDS (PAGE / 8)

static unsigned processes = 3, threads = 3, pages = 256, nap_us = 200;
static volatile uint64_t *counters;

static struct shared {
	uint64_t turn; /* of the ring: counts up; turn % processes is whose it is */
	int stop;
	uint64_t ring[PROCESSES_MAX][WORDS]; /* each process's round, page by page */
} *shared;

static unsigned process; /* which one we are */
static uint64_t ring_private[WORDS] __attribute__((aligned(4096)));

/* The pages of one thread: in the first half of them private, in the second shared. */
struct own {
	unsigned thread;
	char *private, *shared;
	uint64_t *number; /* of each page; 0: all zeros */
	uint64_t random;
	int pipe[2];
};

static uint64_t next(struct own *o)
{
	o->random ^= o->random << 13;
	o->random ^= o->random >> 7;
	o->random ^= o->random << 17;
	return o->random;
}

static uint64_t word(uint64_t number, unsigned page, unsigned i)
{
	return number ? (number << 24) ^ ((uint64_t)page << 12) ^ i : 0;
}

static uint64_t *page_at(struct own *o, unsigned page)
{
	return (uint64_t *)(page < pages / 2 ? o->private + page * PAGE : o->shared + (page - pages / 2) * PAGE);
}

static void look(struct own *o, unsigned page, const char *when)
{
	const uint64_t *p = page_at(o, page);

	for (unsigned i = 0; i < WORDS; i++)
		check(p[i] == word(o->number[page], page, i), "%s: process %u thread %u %s page %u word %u is 0x%lx (number %lu), not of number %lu",
		      when, process, o->thread, page < pages / 2 ? "private" : "shared", page, i, p[i], p[i] >> 24, o->number[page]);
}

static void fill(struct own *o, unsigned page, uint64_t *to)
{
	for (unsigned i = 0; i < WORDS; i++)
		to[i] = word(o->number[page], page, i);
}

/* Written by the kernel, not by us. */
static void write_by_kernel(struct own *o, unsigned page)
{
	uint64_t buffer[WORDS];

	fill(o, page, buffer);
	if (next(o) & 1) {
		struct iovec from = { buffer, PAGE }, to = { page_at(o, page), PAGE };

		check(process_vm_writev(getpid(), &from, 1, &to, 1, 0) == (ssize_t)PAGE);
	} else {
		check(write(o->pipe[1], buffer, PAGE) == (ssize_t)PAGE);
		check(read(o->pipe[0], page_at(o, page), PAGE) == (ssize_t)PAGE);
	}
}

static void *map(size_t size)
{
	return test_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* What changes mappings; the numbers stay as they are, or the page is empty afterwards. */
static void disturb(struct own *o)
{
	unsigned page = next(o) % (pages / 2);
	char *at = o->private + page * PAGE, *new;
	pid_t child;

	switch (next(o) % 7) {
	case 0: /* all of it elsewhere; page by page, for the kernel moves only what is one mapping */
		new = map(pages / 2 * PAGE);
		for (size_t i = 0; i < pages / 2 * PAGE; i += PAGE)
			check(mremap(o->private + i, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, new + i) == new + i);
		o->private = new;
		break;
	case 1:
		check(mprotect(at, PAGE, PROT_READ) == 0);
		check(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0);
		break;
	case 2:
		check(madvise(at, PAGE, MADV_DONTNEED) == 0);
		o->number[page] = 0;
		break;
	case 3:
		check(munmap(at, PAGE) == 0);
		test_mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		o->number[page] = 0;
		break;
	case 4: /* a page moves onto another */
		if (page == 0)
			break;
		check(mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at - PAGE) == at - PAGE);
		test_mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		/* it holds the words of its old place: write it anew */
		o->number[page] = 0;
		o->number[page - 1]++;
		fill(o, page - 1, page_at(o, page - 1));
		break;
	case 5:
		child = fork();
		check(child >= 0);
		if (child == 0) {
			for (unsigned i = 0; i < pages / 2; i += 7)
				o->private[i * PAGE] = 1;
			_exit(0);
		}
		check(waitpid(child, NULL, 0) == child);
		break;
	case 6: /* one that was empty is written for the first time */
		check(madvise(at, PAGE, MADV_DONTNEED) == 0);
		o->number[page] = 1;
		fill(o, page, page_at(o, page));
		break;
	}
}

static void ring(void)
{
	uint64_t turn = __atomic_load_n(&shared->turn, __ATOMIC_ACQUIRE), round = turn / processes + 1;
	unsigned before = (process + processes - 1) % processes;

	if (turn % processes != process)
		return;
	for (unsigned i = 0; i < WORDS; i++) {
		check(ring_private[i] == round - 1, "process %u, round %lu of the ring: private word %u is %lu", process, round, i, ring_private[i]);
		check(shared->ring[process][i] == round - 1, "process %u, round %lu of the ring: shared word %u is %lu", process, round, i,
		      shared->ring[process][i]);
		check(processes == 1 || shared->ring[before][i] == (process ? round : round - 1),
		      "process %u, round %lu of the ring: the neighbour's word %u is %lu", process, round, i, shared->ring[before][i]);
	}
	for (unsigned i = 0; i < WORDS; i++) {
		ring_private[i] = round;
		shared->ring[process][i] = round;
	}
	__atomic_store_n(&shared->turn, turn + 1, __ATOMIC_RELEASE);
}

static void *writer(void *arg)
{
	struct own *o = arg;
	unsigned rounds = 0;

	while (!__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE)) {
		unsigned page = next(o) % pages;

		look(o, page, "while it runs");
		o->number[page]++;
		if (next(o) % 8)
			fill(o, page, page_at(o, page));
		else
			write_by_kernel(o, page);
		if (o->thread == 0) {
			ring();
			if (next(o) % 64 == 0)
				disturb(o);
		}
		counters[1 + process * threads + o->thread]++;
		if (nap_us && ++rounds % 8 == 0)
			usleep(nap_us);
	}
	for (unsigned i = 0; i < pages; i++)
		look(o, i, "at the end");
	return NULL;
}

/* Only thread 0 changes mappings, and only its own: fork in one thread must not meet another's half-made page. */
static void run(char *shared_pages, int root)
{
	pthread_t ids[THREADS_MAX];
	struct own owns[THREADS_MAX] = { 0 };

	for (unsigned i = 0; i < threads; i++) {
		struct own *o = &owns[i];

		o->thread = i;
		o->private = map(pages / 2 * PAGE);
		o->shared = shared_pages + (process * threads + i) * (pages - pages / 2) * PAGE;
		o->number = map(pages * sizeof(*o->number));
		o->random = 0x9e3779b97f4a7c15u * (process * THREADS_MAX + i + 1);
		check(pipe(o->pipe) == 0);
		check(pthread_create(&ids[i], NULL, writer, o) == 0);
	}
	if (root) {
		test_ready();
		while (!test_go())
			usleep(2000);
		__atomic_store_n(&shared->stop, 1, __ATOMIC_RELEASE);
	}
	for (unsigned i = 0; i < threads; i++)
		check(pthread_join(ids[i], NULL) == 0);
}

int main(int argc, char **argv)
{
	pid_t children[PROCESSES_MAX];
	char *shared_pages;
	int fd;

	test_init(argc, argv);
	processes = argc > 2 ? (unsigned)atoi(argv[2]) : processes;
	threads = argc > 3 ? (unsigned)atoi(argv[3]) : threads;
	pages = argc > 4 ? (unsigned)atoi(argv[4]) : pages;
	nap_us = argc > 5 ? (unsigned)atoi(argv[5]) : nap_us;
	check(processes <= PROCESSES_MAX && threads <= THREADS_MAX && 1 + processes * threads <= 512);
	fd = open(test_path("counters"), O_RDWR | O_CREAT, 0644);
	check(fd >= 0 && ftruncate(fd, PAGE) == 0);
	counters = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	shared = test_mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	shared_pages = test_mmap(NULL, processes * threads * (pages - pages / 2) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 1; i < processes; i++) {
		children[i] = test_fork();
		if (!children[i]) {
			process = i;
			run(shared_pages, 0);
			exit(0);
		}
	}
	run(shared_pages, 1);
	for (unsigned i = 1; i < processes; i++)
		test_join(children[i]);
	test_pass();
}
