/* SPDX-License-Identifier: MIT
 *
 * Copy on write: pages that parent, child and grandchild still share are one page of memory after a restore too, which
 * /proc/PID/pagemap tells root; pages that one of them changed, got or gave back are its own. In anonymous memory, in the heap that the
 * child has grown, and in changed pages of a private file mapping.
 */
#include "test.h"

#define PAGES 64UL
#define SIZE (PAGES * PAGE)

static char *anon, *file, *heap;
static uint64_t *frames; /* shared: [process][area][page] */

enum { PARENT, CHILD, GRANDCHILD, PROCESSES };

static uint64_t *frame(int process, int area)
{
	return frames + (process * 3 + area) * PAGES;
}

static void note_frames(int process)
{
	char *areas[] = { anon, file, heap };
	int fd = open("/proc/self/pagemap", O_RDONLY);

	check(fd >= 0);
	for (int a = 0; a < 3; a++) {
		check(pread(fd, frame(process, a), PAGES * 8, (uintptr_t)areas[a] / PAGE * 8) == (ssize_t)(PAGES * 8));
		for (size_t i = 0; i < PAGES; i++)
			frame(process, a)[i] &= (1UL << 55) - 1;
	}
	close(fd);
}

/* The bytes of a page as process `who` left them. */
static void set(char *area, size_t page, int who)
{
	memset(area + page * PAGE, 10 + who, PAGE);
}

static void check_page(char *area, size_t page, int value)
{
	for (size_t i = 0; i < PAGE; i++)
		check(area[page * PAGE + i] == value, "page %zu byte %zu is %d, not %d", page, i, area[page * PAGE + i], value);
}

static void check_contents(int process)
{
	char *areas[] = { anon, file, heap };

	for (int a = 0; a < 3; a++)
		for (size_t i = 0; i < PAGES - 1; i++)
			check_page(areas[a], i, process >= CHILD && i % 8 == 1 ? 10 + CHILD : process == GRANDCHILD && i % 8 == 2 ? 10 + GRANDCHILD : 10);
	/* Given back by the child */
	check_page(anon, PAGES - 1, process == PARENT ? 10 : 0);
	check_page(file, PAGES - 1, process == PARENT ? 10 : 'f');
}

static void grandchild(void)
{
	for (size_t i = 2; i < PAGES - 1; i += 8) {
		set(anon, i, GRANDCHILD);
		set(file, i, GRANDCHILD);
		set(heap, i, GRANDCHILD);
	}
	test_mark("grandchild");
	test_wait();
	note_frames(GRANDCHILD);
	check_contents(GRANDCHILD);
	test_mark("grandchild looked");
	test_await("parent looked");
	_exit(0);
}

static void child(void)
{
	pid_t pid;

	for (size_t i = 1; i < PAGES - 1; i += 8) {
		set(anon, i, CHILD);
		set(file, i, CHILD);
		set(heap, i, CHILD);
	}
	check(madvise(anon + (PAGES - 1) * PAGE, PAGE, MADV_DONTNEED) == 0);
	check(madvise(file + (PAGES - 1) * PAGE, PAGE, MADV_DONTNEED) == 0);
	check(sbrk(SIZE) != (void *)-1);
	check(mprotect(anon, SIZE, PROT_READ) == 0 && mprotect(anon, SIZE, PROT_READ | PROT_WRITE) == 0);
	pid = test_fork();
	if (!pid)
		grandchild();
	test_await("grandchild");
	test_mark("child");
	test_wait();
	note_frames(CHILD);
	check_contents(CHILD);
	test_mark("child looked");
	test_await("parent looked");
	test_join(pid);
	_exit(0);
}

int main(int argc, char **argv)
{
	char fill[PAGE];
	pid_t pid;
	int fd;

	test_init(argc, argv);
	memset(fill, 'f', PAGE);
	fd = open(test_path("file"), O_RDWR | O_CREAT, 0600);
	for (size_t i = 0; i < PAGES; i++)
		check(write(fd, fill, PAGE) == (ssize_t)PAGE);
	anon = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(anon, SIZE, MADV_NOHUGEPAGE);
	file = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	frames = test_mmap(NULL, PROCESSES * 3 * PAGES * 8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	heap = sbrk(SIZE + PAGE);
	check(heap != (void *)-1);
	heap = (char *)(((uintptr_t)heap + PAGE - 1) & ~(PAGE - 1));
	for (size_t i = 0; i < PAGES; i++) {
		set(anon, i, PARENT);
		set(file, i, PARENT);
		set(heap, i, PARENT);
	}
	pid = test_fork();
	if (!pid)
		child();
	test_await("child");
	test_ready();
	test_wait();
	note_frames(PARENT);
	if (!frame(PARENT, 0)[0])
		test_skip("/proc/self/pagemap shows no frame numbers (CAP_SYS_ADMIN)");
	check_contents(PARENT);
	test_await("child looked");
	test_await("grandchild looked");
	for (int a = 0; a < 3; a++)
		for (size_t i = 0; i < PAGES - 1; i++) {
			uint64_t p = frame(PARENT, a)[i], c = frame(CHILD, a)[i], g = frame(GRANDCHILD, a)[i];

			check(p && c && g, "area %d page %zu is not in memory", a, i);
			check((p == c) == (i % 8 != 1), "area %d page %zu: the parent's frame is %lx, the child's %lx", a, i, p, c);
			check((c == g) == (i % 8 != 2), "area %d page %zu: the child's frame is %lx, the grandchild's %lx", a, i, c, g);
		}
	test_mark("parent looked");
	test_join(pid);
	test_pass();
}
