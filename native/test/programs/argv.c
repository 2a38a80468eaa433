/* SPDX-License-Identifier: MIT
 *
 * What others see of a program: arguments and environment overwritten in place, as setproctitle() does, and the name;
 * auxiliary vector and executable.
 */
#include "test.h"

#include <sys/auxv.h>

extern char **environ;

struct text {
	char data[65536];
	ssize_t size;
};

static void read_proc(const char *name, struct text *t)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/self/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0);
	t->size = read(fd, t->data, sizeof t->data);
	check(t->size >= 0);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *files[] = { "cmdline", "environ", "auxv", "comm" };
	static struct text before[4], after[4];
	static unsigned char random_before[16];
	unsigned long *stack_auxv;
	char exe[4096] = "", exe_now[4096] = "";
	size_t room;
	int i;

	test_init(argc, argv);
	memcpy(random_before, (void *)getauxval(AT_RANDOM), 16);
	check(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
	room = argv[argc - 1] + strlen(argv[argc - 1]) - argv[0];
	memset(argv[0], 0, room);
	snprintf(argv[0], room, "soak: case 1 of 9");
	if (environ[0])
		memset(environ[0], 'x', strlen(environ[0]) / 2);
	prctl(PR_SET_NAME, "odd) name (");
	for (i = 0; i < 4; i++)
		read_proc(files[i], &before[i]);
	test_ready();
	test_wait();
	for (i = 0; i < 4; i++) {
		read_proc(files[i], &after[i]);
		check(before[i].size == after[i].size, "%s: %zd bytes, were %zd", files[i], after[i].size, before[i].size);
		check(!memcmp(before[i].data, after[i].data, before[i].size), "%s differs: \"%.200s\"", files[i],
		      after[i].data);
	}
	check(!memcmp(random_before, (void *)getauxval(AT_RANDOM), 16));
	/* the stack's auxiliary vector and the kernel's copy agree */
	for (i = 0; environ[i]; i++)
		;
	stack_auxv = (unsigned long *)&environ[i + 1];
	check(!memcmp(stack_auxv, after[2].data, 16 * 10));
	check(readlink("/proc/self/exe", exe_now, sizeof exe_now - 1) > 0 && !strcmp(exe, exe_now), "%s", exe_now);
	/* and it is still the same memory that is shown */
	strcpy(argv[0], "soak: case 2 of 9");
	read_proc("cmdline", &after[0]);
	check(!strcmp(after[0].data, "soak: case 2 of 9"), "%s", after[0].data);
	test_pass();
}
