/* SPDX-License-Identifier: MIT
 *
 * Private anonymous memory: every protection with contents behind it, code that runs, many small mappings with other
 * ones between, a hole, a mapping that grows down, one at a low and one at a high address.
 */
#include "test.h"

#include <setjmp.h>

#define SIZE (16 * PAGE)
#define SMALL 300

static const int prots[] = { PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE, PROT_EXEC,
			     PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC };
#define PROTS 7

static sigjmp_buf escape;

static void on_segv(int sig)
{
	(void)sig;
	siglongjmp(escape, 1);
}

/* Whether a byte can be read, or written with what it holds. */
static int can(volatile unsigned char *p, int write)
{
	unsigned char c = 0;

	if (sigsetjmp(escape, 1))
		return 0;
	if (write)
		*p = write;
	else
		c = *p;
	(void)c;
	return 1;
}

int main(int argc, char **argv)
{
	static const unsigned char code[] = { 0xb8, 0x67, 0x45, 0x23, 0x01, 0xc3 }; /* mov $0x1234567, %eax; ret */
	unsigned char *p[PROTS], *small, *hole, *low, *high, *down;
	struct sigaction sa = { .sa_handler = on_segv };
	int i;

	test_init(argc, argv);
	for (i = 0; i < PROTS; i++) {
		p[i] = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		test_pattern(p[i], SIZE, i);
		memcpy(p[i], code, sizeof code);
		check(mprotect(p[i], SIZE, prots[i]) == 0);
		/* a mapping between, so that equal neighbours do not merge */
		test_mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	small = test_mmap(NULL, SMALL * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_pattern(small, SMALL * PAGE, 99);
	for (i = 0; i < SMALL; i += 2)
		check(mprotect(small + i * PAGE, PAGE, PROT_READ) == 0);
	hole = test_mmap(NULL, 3 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	test_pattern(hole, 3 * SIZE, 100);
	check(munmap(hole + SIZE, SIZE) == 0);
	low = test_mmap((void *)0x10000, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			0);
	test_pattern(low, SIZE, 101);
	high = test_mmap((void *)0x7ffffff00000, SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	test_pattern(high, SIZE, 102);
	/* free room below, then a mapping that grows into it */
	down = test_mmap(NULL, 400 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(munmap(down, 398 * PAGE) == 0);
	down = test_mmap(down + 390 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, -1, 0);
	test_pattern(down, 8 * PAGE, 103);
	test_ready();
	test_wait();

	check(((int (*)(void))p[5])() == 0x1234567);
	check(((int (*)(void))p[6])() == 0x1234567);
	check(sigaction(SIGSEGV, &sa, NULL) == 0);
	for (i = 0; i < PROTS; i++) {
		/* x86: what can be written or run can be read */
		check(can(p[i], 0) == (prots[i] != PROT_NONE), "reading with protection %d", prots[i]);
		check(can(p[i], code[0]) == !!(prots[i] & PROT_WRITE), "writing with protection %d", prots[i]);
		check(mprotect(p[i], SIZE, PROT_READ | PROT_WRITE) == 0);
		check(!memcmp(p[i], code, sizeof code));
		test_pattern(p[i], 8, i);
		check(test_pattern_ok(p[i], SIZE, i), "contents behind protection %d", prots[i]);
	}
	check(test_pattern_ok(small, SMALL * PAGE, 99));
	check(test_pattern_ok(low, SIZE, 101) && test_pattern_ok(high, SIZE, 102));
	check(test_mmap(hole + SIZE, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			0) == hole + SIZE, "the hole is not free");
	test_pattern(hole + SIZE, SIZE, 7);
	check(!memcmp(hole + 2 * SIZE, ({ static char b[3 * SIZE]; test_pattern(b, 3 * SIZE, 100); b + 2 * SIZE; }), SIZE));
	check(test_pattern_ok(hole, SIZE, 100));
	check(test_pattern_ok(down, 8 * PAGE, 103));
	down[-100] = 42; /* SIGSEGV unless it still grows down */
	check(down[-100] == 42 && down[-200] == 0);
	test_pass();
}
