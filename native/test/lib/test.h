/* SPDX-License-Identifier: MIT
 *
 * What every program of the native test suite uses.
 *
 * A program is started by run.py as `PROGRAM DIR [ARGS]`. It sets up the state under test, calls test_ready(), waits
 * for DIR/go with test_wait(), checks its own state with check() and ends with test_pass(). Between ready and go it
 * may be dumped, killed and restored any number of times, and must not notice. Waiting is by polling a file, so that
 * it adds no descriptor, signal or mapping to the state under test.
 */
#ifndef PCR_TEST_H
#define PCR_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Takes main's arguments; remembers the directory argv[1] (absolute). First call of every program. */
void test_init(int argc, char **argv);

/* Replaces the directory, for a program that changes its root. */
void test_set_dir(const char *dir);

/* DIR/name, in one of 16 static buffers used in turn. */
const char *test_path(const char *name);

/* Names an address whose mapping changes by itself while the program waits; the runner's comparison of memory leaves
 * that mapping out. The main thread's TLS (it holds rseq) is always left out. Call before test_ready(). */
void test_volatile(const void *address);

/* Creates DIR/ready: from here on nothing but the waiting itself may change. Called once, by the root process. */
void test_ready(void);

/* Creates DIR/name; for children to tell that they are set up. */
void test_mark(const char *name);

/* Waits for DIR/name. */
void test_await(const char *name);

/* 1 when DIR/go exists. Changes nothing but errno. */
int test_go(void);

/* Waits for DIR/go. */
void test_wait(void);

/* Appends a line to DIR/result and ends the process with status 1. errno is part of the line. */
void test_fail(const char *file, int line, const char *condition, const char *format, ...)
	__attribute__((noreturn, format(printf, 4, 5)));

/* Writes PASS to DIR/result and ends the process with status 0. Only the root process calls it, at the end. */
void test_pass(void) __attribute__((noreturn));

/* Writes SKIP and the reason to DIR/result and ends the process: this machine cannot run the test. */
void test_skip(const char *reason) __attribute__((noreturn));

/* Waits for the child and fails unless it ended with status 0. */
void test_join(pid_t child);

/* fork() that fails the test on error. */
pid_t test_fork(void);

/* Fills n bytes with a pattern that depends on seed and position; test_pattern_ok() is 1 when it is still there. */
void test_pattern(void *p, size_t n, uint32_t seed);
int test_pattern_ok(const void *p, size_t n, uint32_t seed);

/* mmap that fails the test on error. */
void *test_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);

/* A kind of state, for a program that sets up the one that its argument names. */
struct test_kind {
	const char *name;
	void (*setup)(void), (*verify)(void);
};

/* main() of such a program: sets up the kind argv[2] of the n, waits, verifies. where(), unless null, gives what
 * DIR/where shall name: "fd" or "map" with the descriptor or address that a refusal has to name. */
int test_kinds(int argc, char **argv, const struct test_kind *kinds, size_t n,
	       const char *(*where)(unsigned long *value));

/* Fails the test, naming place and condition, unless the condition holds. After it a printf format with the values. */
#define check(cond, ...)                                                    \
	do {                                                                \
		if (!(cond))                                                \
			test_fail(__FILE__, __LINE__, #cond, "" __VA_ARGS__); \
	} while (0)

#define PAGE 4096UL

#endif
