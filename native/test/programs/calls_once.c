/* SPDX-License-Identifier: MIT
 *
 * System calls that may not be made twice: threads that fork and wait, write to a pipe and read it, count an eventfd up, all with every signal blocked, so that
 * a dump finds them just after a call was done. DIR/counters counts rounds.
 */
#include "test.h"

#include <pthread.h>
#include <sys/eventfd.h>

static volatile uint64_t *counters;

static void block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	check(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
}

static void *forks(void *unused)
{
	(void)unused;
	block_all();
	while (!test_go()) {
		pid_t child = fork();

		check(child >= 0);
		if (child == 0)
			_exit(7);
		for (int status = 0; (errno = 0, waitpid(child, &status, 0)) != child || status != 7 << 8;)
			check(errno == EINTR, "waitpid of the child that fork told of: status %x", status);
		counters[1]++;
	}
	return NULL;
}

static void *writes(void *unused)
{
	int fds[2];

	(void)unused;
	block_all();
	check(pipe(fds) == 0);
	for (uint64_t i = 0, found = 0; !test_go(); i++) {
		check(write(fds[1], &i, sizeof(i)) == sizeof(i));
		check(read(fds[0], &found, sizeof(found)) == sizeof(found) && found == i, "number %lu came, not %lu", found, i);
		counters[2]++;
	}
	return NULL;
}

static void *counts(void *unused)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t value, i;

	(void)unused;
	block_all();
	check(fd >= 0);
	while (!test_go()) {
		for (i = 0; i < 100; i++)
			check(write(fd, &(uint64_t){ 1 }, sizeof(i)) == sizeof(i));
		check(read(fd, &value, sizeof(value)) == sizeof(value) && value == 100, "counted to %lu", value);
		counters[3]++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	void *(*const loops[])(void *) = { forks, writes, counts };
	pthread_t threads[3];
	int fd;

	test_init(argc, argv);
	fd = open(test_path("counters"), O_RDWR | O_CREAT, 0644);
	check(fd >= 0 && ftruncate(fd, PAGE) == 0);
	counters = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (int i = 0; i < 3; i++)
		check(pthread_create(&threads[i], NULL, loops[i], NULL) == 0);
	test_ready();
	for (int i = 0; i < 3; i++)
		check(pthread_join(threads[i], NULL) == 0);
	test_pass();
}
