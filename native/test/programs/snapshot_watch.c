/* SPDX-License-Identifier: MIT
 *
 * Looks all the time whether something shows of a copy that a dump makes of its memory: a child, a SIGCHLD, resource usage of children,
 * descriptors, limits, another disposition of SIGCHLD. Has memory that a fork does not copy. DIR/counters counts its rounds.
 */
#include "test.h"

#include <dirent.h>
#include <sys/resource.h>

#define SIZE (64 * PAGE)

static volatile uint64_t *counters;
static volatile sig_atomic_t signals;

static void on_child(int sig)
{
	(void)sig;
	signals++;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	check(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void look(int fds)
{
	struct rusage usage;
	struct sigaction sa;
	char text[64] = "";
	int fd, status;

	check(signals == 0, "%d SIGCHLD came", (int)signals);
	check(sigaction(SIGCHLD, NULL, &sa) == 0 && sa.sa_handler == on_child && sa.sa_flags & SA_RESTART, "SIGCHLD's handler is another");
	check(waitpid(-1, &status, WNOHANG | __WALL) == -1 && errno == ECHILD, "there is a child");
	check(getrusage(RUSAGE_CHILDREN, &usage) == 0 && usage.ru_maxrss == 0 && usage.ru_minflt == 0 && usage.ru_utime.tv_usec == 0 &&
		      usage.ru_stime.tv_usec == 0 && usage.ru_nvcsw == 0,
	      "children have used something: %ld KiB", usage.ru_maxrss);
	snprintf(text, sizeof(text), "/proc/self/task/%d/children", getpid());
	fd = open(text, O_RDONLY);
	check(fd >= 0 && read(fd, text, sizeof(text)) == 0, "a child shows in /proc");
	close(fd);
	check(count_fds() == fds, "%d descriptors, not %d", count_fds(), fds);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_child, .sa_flags = SA_RESTART };
	unsigned char *dont, *wipe, *file, *plain;
	int fd, fds;

	test_init(argc, argv);
	check(sigaction(SIGCHLD, &sa, NULL) == 0);
	dont = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	wipe = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	plain = test_mmap(NULL, 4000 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_pattern(dont, SIZE, 1);
	test_pattern(wipe, SIZE, 2);
	test_pattern(plain, 4000 * PAGE, 3);
	if (argc < 3 || strcmp(argv[2], "plain")) {
		check(madvise(dont, SIZE, MADV_DONTFORK) == 0);
		check(madvise(wipe, SIZE, MADV_WIPEONFORK) == 0);
	}
	fd = open(test_path("file"), O_RDWR | O_CREAT, 0644);
	check(fd >= 0 && ftruncate(fd, SIZE) == 0);
	file = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	test_pattern(file + PAGE, PAGE, 4);
	close(fd);
	fd = open(test_path("counters"), O_RDWR | O_CREAT, 0644);
	check(fd >= 0 && ftruncate(fd, PAGE) == 0);
	counters = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	fds = count_fds();
	test_ready();
	while (!test_go()) {
		look(fds);
		counters[1]++;
	}
	check(test_pattern_ok(dont, SIZE, 1), "memory that is not forked");
	check(test_pattern_ok(wipe, SIZE, 2), "memory that is wiped on fork");
	check(test_pattern_ok(plain, 4000 * PAGE, 3));
	check(test_pattern_ok(file + PAGE, PAGE, 4) && file[0] == 0, "the file's mapping");
	test_pass();
}
