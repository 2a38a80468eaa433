/* SPDX-License-Identifier: MIT
 *
 * Mappings with flags: stacks that grow down, no reserve, locked, data behind PROT_NONE, many small ones; System V segments, whole and
 * in part. /proc shows the flags; contents and behaviour are looked at here.
 */
#include "test.h"

#include <setjmp.h>
#include <sys/shm.h>

#define SIZE (16 * PAGE)
#define SMALL 2000

static sigjmp_buf fault;
static char expected[SIZE];

static void on_fault(int sig __attribute__((unused)))
{
	siglongjmp(fault, 1);
}

static int faults(volatile char *at)
{
	struct sigaction act = { .sa_handler = on_fault, .sa_flags = SA_NODEFER }, old;
	int faulted;

	sigaction(SIGSEGV, &act, &old);
	faulted = sigsetjmp(fault, 0);
	if (!faulted)
		(void)*at;
	sigaction(SIGSEGV, &old, NULL);
	return faulted;
}

/* Room below, so that it may grow, and less than the guard gap of stacks, so that nothing else gets there; the second page is touched, which
 * makes it grow before the dump. */
static char *make_growing(void)
{
	char *room = test_mmap(NULL, 1024 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *p;

	check(munmap(room + 900 * PAGE, 124 * PAGE) == 0);
	p = test_mmap(room + 1000 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	test_pattern(p, 4 * PAGE, 1);
	p[-1] = 'g';
	return p;
}

static void segments(char **whole, char **part, int *id)
{
	int removed = shmget(IPC_PRIVATE, SIZE, 0640);

	*id = shmget(IPC_PRIVATE, SIZE + 100, 0604);
	check(*id >= 0 && removed >= 0);
	*whole = shmat(*id, NULL, 0);
	*part = shmat(removed, NULL, 0);
	check(*whole != (void *)-1 && *part != (void *)-1 && shmctl(removed, IPC_RMID, NULL) == 0);
	test_pattern(*whole, SIZE + 100, 2);
	test_pattern(*part, SIZE, 3);
	check(munmap(*part, 4 * PAGE) == 0 && mprotect(*part + 8 * PAGE, 4 * PAGE, PROT_READ) == 0);
}

int main(int argc, char **argv)
{
	char *growing, *hidden, *locked, *reserve, *small, *whole = NULL, *part = NULL;
	struct shmid_ds ds;
	pid_t child;
	int id = 0, i;

	test_init(argc, argv);
	growing = make_growing();
	hidden = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_pattern(hidden, SIZE, 4);
	check(mprotect(hidden, SIZE, PROT_NONE) == 0);
	locked = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	locked[PAGE] = 'l';
	reserve = test_mmap(NULL, 1UL << 36, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	strcpy(reserve + (1UL << 35), "in the middle");
	small = test_mmap(NULL, 2 * SMALL * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < SMALL; i++) {
		small[2 * i * PAGE] = i;
		check(mprotect(small + (2 * i + 1) * PAGE, PAGE, PROT_READ) == 0);
	}
	if (argc > 2)
		segments(&whole, &part, &id);
	test_ready();
	test_wait();
	check(test_pattern_ok(growing, 4 * PAGE, 1) && growing[-1] == 'g');
	check(!faults(growing - PAGE - 1), "it does not grow any more");
	check(faults(hidden));
	check(mprotect(hidden, SIZE, PROT_READ) == 0 && test_pattern_ok(hidden, SIZE, 4));
	check(locked[PAGE] == 'l' && locked[0] == 0);
	check(!strcmp(reserve + (1UL << 35), "in the middle") && reserve[0] == 0);
	for (i = 0; i < SMALL; i++)
		check(small[2 * i * PAGE] == (char)i && small[(2 * i + 1) * PAGE] == 0, "small mapping %d", i);
	if (argc > 2) {
		check(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_segsz == SIZE + 100 && ds.shm_nattch == 1 && (ds.shm_perm.mode & 0777) == 0604);
		check(test_pattern_ok(whole, SIZE + 100, 2));
		test_pattern(expected, SIZE, 3);
		check(!memcmp(part + 4 * PAGE, expected + 4 * PAGE, SIZE - 4 * PAGE));
		child = test_fork();
		if (!child) {
			whole[7] = 'c';
			part[12 * PAGE] = 'd';
			_exit(0);
		}
		test_join(child);
		check(whole[7] == 'c' && part[12 * PAGE] == 'd', "not shared any more");
		check(shmdt(whole) == 0 && shmctl(id, IPC_RMID, NULL) == 0 && shmctl(id, IPC_STAT, &ds) < 0);
	}
	test_pass();
}
