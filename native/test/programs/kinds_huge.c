/* SPDX-License-Identifier: MIT
 *
 * Memory of huge pages (hugetlbfs): one kind by argument. The runner sees to it that there are enough of them.
 */
#include "test.h"

#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>

#define HUGE (2UL << 20)
#define SIZE (2 * HUGE)

static char *memory, *other;
static int fd = -1, id = -1;
static pid_t child;

static char *map(int flags, int file)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, file, 0);

	if (p == MAP_FAILED)
		test_skip("no huge pages to be had");
	return p;
}

/* Some pages, far apart, in the second huge page. */
static void fill(char *p, uint32_t seed)
{
	test_pattern(p + HUGE + 3 * PAGE, 5000, seed);
	test_pattern(p + HUGE + 300 * PAGE, PAGE, seed + 1);
}

static void check_filled(char *p, uint32_t seed)
{
	check(test_pattern_ok(p + HUGE + 3 * PAGE, 5000, seed) && test_pattern_ok(p + HUGE + 300 * PAGE, PAGE, seed + 1));
	for (size_t i = 0; i < PAGE; i++)
		check(!p[HUGE + 100 * PAGE + i] && !p[i]);
}

/* The line of smaps of the mapping at p. */
static const char *field(const void *p, const char *name)
{
	static char line[512];
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	int found = 0;

	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			found = start == (unsigned long)p;
		else if (found && !strncmp(line, name, strlen(name)))
			break;
	}
	check(f && found, "no %s at %p", name, p);
	fclose(f);
	return line + strlen(name);
}

static void check_huge(const void *p)
{
	check(atoi(field(p, "KernelPageSize:")) == 2048, "pages of %d kB", atoi(field(p, "KernelPageSize:")));
}

static void private_setup(void)
{
	memory = map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	fill(memory, 1);
}

static void private_verify(void)
{
	check_huge(memory);
	check_filled(memory, 1);
}

static void wait_and_write(void)
{
	test_mark("child");
	test_wait();
	check_filled(memory, 1);
	memory[0] = 'c';
	_exit(0);
}

static void shared_setup(void)
{
	memory = map(MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	fill(memory, 1);
	child = test_fork();
	if (!child)
		wait_and_write();
	test_await("child");
}

static void shared_verify(void)
{
	check_huge(memory);
	test_join(child);
	check(memory[0] == 'c', "the child's memory is another");
	memory[0] = 0;
	check_filled(memory, 1);
}

static void memfd_setup(void)
{
	fd = memfd_create("huge", MFD_HUGETLB | MFD_ALLOW_SEALING);
	if (fd < 0)
		test_skip("no memfd of huge pages");
	check(ftruncate(fd, SIZE) == 0 && lseek(fd, 77, SEEK_SET) == 77);
	memory = map(MAP_SHARED, fd);
	fill(memory, 1);
	other = map(MAP_PRIVATE, fd);
	other[5] = 'p';
	check(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
}

static void memfd_verify(void)
{
	char byte;

	check_huge(memory);
	check_huge(other);
	check_filled(memory, 1);
	check(other[5] == 'p');
	check(lseek(fd, 0, SEEK_CUR) == 77 && fcntl(fd, F_GET_SEALS) == F_SEAL_SHRINK);
	memory[9] = 'm';
	check(pread(fd, &byte, 1, 9) == 1 && byte == 'm', "mapping and descriptor are of different files");
}

/* Nobody maps it. */
static void memfd_alone_setup(void)
{
	memfd_setup();
	check(munmap(memory, SIZE) == 0 && munmap(other, SIZE) == 0);
}

static void memfd_alone_verify(void)
{
	memory = map(MAP_SHARED, fd);
	check_huge(memory);
	check_filled(memory, 1);
}

static void segment_setup(void)
{
	id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | SHM_HUGETLB | 0600);
	if (id < 0)
		test_skip("no System V segment of huge pages");
	memory = shmat(id, NULL, 0);
	check(memory != (void *)-1);
	check(shmctl(id, IPC_RMID, NULL) == 0);
	fill(memory, 1);
}

static void segment_verify(void)
{
	struct shmid_ds ds;

	check_huge(memory);
	check_filled(memory, 1);
	check(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_segsz == SIZE && ds.shm_nattch == 1);
}

/* A file of hugetlbfs, which the runner unmounts; by its name, and without one. */
static void file_setup(void)
{
	check(mkdir(test_path("huge"), 0755) == 0);
	if (mount("none", test_path("huge"), "hugetlbfs", 0, "pagesize=2M"))
		test_skip("hugetlbfs cannot be mounted");
	fd = open(test_path("huge/file"), O_CREAT | O_RDWR, 0640);
	check(fd >= 0 && ftruncate(fd, SIZE) == 0);
	memory = map(MAP_SHARED, fd);
	other = map(MAP_PRIVATE, fd);
	fill(memory, 1);
	other[5] = 'p';
}

static void file_verify(void)
{
	char byte;

	check_huge(memory);
	check_huge(other);
	check_filled(memory, 1);
	check(other[5] == 'p' && memory[5] != 'p');
	memory[9] = 'm';
	check(pread(fd, &byte, 1, 9) == 1 && byte == 'm', "mapping and descriptor are of different files");
}

static void deleted_setup(void)
{
	file_setup();
	check(unlink(test_path("huge/file")) == 0);
}

static void deleted_verify(void)
{
	struct stat st;

	file_verify();
	check(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == (off_t)SIZE && (st.st_mode & 0777) == 0640);
	check(access(test_path("huge/file"), F_OK) < 0);
}

static const struct test_kind kinds[] = {
	{ "private", private_setup, private_verify },
	{ "shared", shared_setup, shared_verify },
	{ "memfd", memfd_setup, memfd_verify },
	{ "memfd_alone", memfd_alone_setup, memfd_alone_verify },
	{ "file", file_setup, file_verify },
	{ "deleted", deleted_setup, deleted_verify },
	{ "segment", segment_setup, segment_verify },
};

int main(int argc, char **argv)
{
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof kinds[0], NULL);
}
