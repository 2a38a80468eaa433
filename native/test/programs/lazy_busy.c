/* SPDX-License-Identifier: MIT
 *
 * 16 MiB whose every word tells where it belongs, and a program that goes at it as soon as it may, while a lazy restore is still bringing
 * it: DIR threads|fork|move|unmap|discard|protect|calls|exec|exit|stack.
 */
#include "test.h"

#include <pthread.h>
#include <sys/uio.h>

#define PAGES 4096UL
#define WORDS (PAGE / 8)
#define THREADS 4

static uint64_t *memory;

static uint64_t word(size_t page, size_t i)
{
	return (page * WORDS + i + 1) * 0x9e3779b97f4a7c15ULL;
}

static int is_page(const uint64_t *at, size_t page)
{
	for (size_t i = 0; i < WORDS; i++)
		if (at[i] != word(page, i))
			return 0;
	return 1;
}

static int is_zero(const uint64_t *at)
{
	for (size_t i = 0; i < WORDS; i++)
		if (at[i])
			return 0;
	return 1;
}

/* Every page once, in an order of its own for each odd stride. */
static void look(const uint64_t *at, size_t first, size_t count, size_t stride)
{
	for (size_t n = 0; n < count; n++) {
		size_t page = n * stride % count;

		check(is_page(at + page * WORDS, first + page), "page %zu at %p holds 0x%lx", first + page, (void *)(at + page * WORDS),
		      (unsigned long)at[page * WORDS]);
	}
}

static void *look_from(void *arg)
{
	/* powers of two pages: any odd stride reaches all */
	look(memory, 0, PAGES, 1 + 2 * 977 * (size_t)arg);
	return NULL;
}

static void start_threads(pthread_t *threads)
{
	for (size_t i = 0; i < THREADS; i++)
		check(pthread_create(&threads[i], NULL, look_from, (void *)i) == 0);
}

static void end_threads(pthread_t *threads)
{
	for (size_t i = 0; i < THREADS; i++)
		check(pthread_join(threads[i], NULL) == 0);
}

static void do_threads(void)
{
	pthread_t threads[THREADS];

	start_threads(threads);
	end_threads(threads);
}

/* Children and grandchildren, while threads pull at the same pages; each changes what is its own. */
static void do_fork(void)
{
	pthread_t threads[THREADS];
	pid_t children[12];

	start_threads(threads);
	for (size_t i = 0; i < 12; i++) {
		children[i] = test_fork();
		if (children[i] == 0) {
			pid_t grandchild;

			if (i % 3 == 0)
				_exit(0);
			memory[i * WORDS * 100] = i;
			grandchild = test_fork();
			check(memory[i * WORDS * 100] == i);
			memory[i * WORDS * 100] = word(i * 100, 0);
			look(memory, 0, PAGES, 1 + 2 * (37 * i + (grandchild == 0)));
			if (grandchild)
				test_join(grandchild);
			_exit(0);
		}
	}
	for (size_t i = 0; i < 12; i++)
		test_join(children[i]);
	end_threads(threads);
}

/* Pieces go elsewhere, are cut in two, swap their places. */
static void do_move(void)
{
	static uint64_t *at[64];
	const size_t piece = PAGES / 64;

	for (size_t i = 0; i < 64; i++) {
		at[i] = memory + i * piece * WORDS;
		if (i % 2) {
			char *to = test_mmap(NULL, (piece + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			/* The first half, then the second to right behind it. */
			check(mremap(at[i], piece / 2 * PAGE, piece / 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
			check(mremap((char *)at[i] + piece / 2 * PAGE, piece / 2 * PAGE, piece / 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				     to + piece / 2 * PAGE) == to + piece / 2 * PAGE);
			at[i] = (uint64_t *)to;
		}
		if (i % 4 == 3) {
			/* Its old place is somebody else's now. */
			uint64_t *hole = memory + i * piece * WORDS;

			check(mremap(at[i - 1], piece * PAGE, piece * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, hole) == hole);
			at[i - 1] = hole;
		}
	}
	for (size_t i = 64; i-- > 0;)
		look(at[i], i * piece, piece, 5);
}

static void do_unmap(void)
{
	for (size_t i = 0; i < PAGES; i += 16) {
		check(munmap(memory + i * WORDS, 4 * PAGE) == 0);
		if (i % 32 == 0)
			test_mmap(memory + i * WORDS, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	for (size_t i = 0; i < PAGES; i += 16) {
		if (i % 32 == 0)
			for (size_t j = 0; j < 4; j++)
				check(is_zero(memory + (i + j) * WORDS), "page %zu of a new mapping", i + j);
		look(memory + (i + 4) * WORDS, i + 4, 12, 5);
	}
}

static void *discard(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < PAGES; i += 4)
		check(madvise(memory + i * WORDS, PAGE, MADV_DONTNEED) == 0);
	return NULL;
}

/* A page given back reads as zeros, whether it had come already, comes right now, or has not come. */
static void do_discard(void)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, discard, NULL) == 0);
	for (size_t i = 0; i < PAGES; i++)
		if (i % 4)
			look(memory + i * WORDS, i, 1, 1);
		else if (i % 8 == 0)
			check(is_page(memory + i * WORDS, i) || is_zero(memory + i * WORDS) || is_zero(memory + i * WORDS), "page %zu is mixed", i);
	check(pthread_join(thread, NULL) == 0);
	for (size_t i = 0; i < PAGES; i += 4)
		check(is_zero(memory + i * WORDS), "page %zu, given back, holds 0x%lx", i, (unsigned long)memory[i * WORDS]);
}

static void do_protect(void)
{
	for (size_t i = 0; i < PAGES; i += 8)
		check(mprotect(memory + i * WORDS, PAGE, i % 16 ? PROT_NONE : PROT_READ) == 0);
	for (size_t i = 0; i < PAGES; i++)
		if (i % 8 || i % 16 == 0)
			look(memory + i * WORDS, i, 1, 1);
	check(mprotect(memory, PAGES * PAGE, PROT_READ | PROT_WRITE) == 0);
	look(memory, 0, PAGES, 11);
}

/* The kernel itself touches what is not there. */
static void do_calls(void)
{
	int ends[2];

	check(pipe(ends) == 0);
	for (size_t i = 0; i < PAGES; i += 3) {
		size_t to = (i + PAGES / 2) % (PAGES - 2);
		uint64_t have[WORDS];
		struct iovec mine = { have, PAGE }, theirs = { memory + to * WORDS, PAGE };

		check(write(ends[1], memory + i * WORDS, PAGE) == (ssize_t)PAGE);
		check(process_vm_readv(getpid(), &mine, 1, &theirs, 1, 0) == (ssize_t)PAGE, "page %zu", to);
		check(is_page(have, to), "page %zu through process_vm_readv", to);
		/* half of it over another page, which the kernel has to bring first */
		check(read(ends[0], memory + to * WORDS, PAGE / 2) == (ssize_t)(PAGE / 2));
		check(memory[to * WORDS] == word(i, 0) && memory[to * WORDS + WORDS - 1] == word(to, WORDS - 1), "page %zu over page %zu", i, to);
		check(read(ends[0], have, PAGE / 2) == (ssize_t)(PAGE / 2) && have[0] == word(i, WORDS / 2));
		for (size_t j = 0; j < WORDS / 2; j++)
			memory[to * WORDS + j] = word(to, j);
	}
	look(memory, 0, PAGES, 7);
}

static void do_exec(void)
{
	for (int i = 0; i < 4; i++) {
		pid_t child = test_fork();

		if (child == 0) {
			execl("/bin/true", "true", NULL);
			_exit(9);
		}
		test_join(child);
	}
	look(memory, 0, PAGES, 13);
}

/* It ends in the middle. */
static void do_exit(void)
{
	pid_t child = test_fork();

	if (child == 0) {
		look(memory, 0, PAGES / 8, 3);
		_exit(0);
	}
	test_join(child);
}

static int deep(int levels)
{
	volatile char room[16384];

	memset((char *)room, levels, sizeof(room));
	return levels ? deep(levels - 1) + room[levels] - levels : room[5];
}

/* Stack and heap grow beside what is brought. */
static void do_stack(void)
{
	char *last = sbrk(0);

	check(deep(100) == 0);
	for (int i = 0; i < 64; i++) {
		char *p = sbrk(5 * PAGE);

		check(p != (char *)-1);
		for (size_t j = 0; j < 5 * PAGE; j += 512)
			check(p[j] == 0);
		memset(p, i, 5 * PAGE);
	}
	check((char *)sbrk(0) == last + 64 * 5 * PAGE);
	look(memory, 0, PAGES, 3);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = { { "threads", do_threads }, { "fork", do_fork }, { "move", do_move }, { "unmap", do_unmap }, { "discard", do_discard },
		      { "protect", do_protect }, { "calls", do_calls }, { "exec", do_exec }, { "exit", do_exit }, { "stack", do_stack } };
	void (*run)(void) = NULL;

	test_init(argc, argv);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc > 2 && !strcmp(argv[2], modes[i].name))
			run = modes[i].run;
	check(run != NULL);
	memory = test_mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t page = 0; page < PAGES; page++)
		for (size_t i = 0; i < WORDS; i++)
			memory[page * WORDS + i] = word(page, i);
	test_ready();
	test_wait();
	run();
	test_pass();
}
