/* SPDX-License-Identifier: MIT
 *
 * Limits that a process is at, or far beyond: neither dump nor restore may run into them, and they hold afterwards.
 */
#include "test.h"

#include <sys/resource.h>

static int resource;
static struct rlimit limit;

static unsigned long field(const char *name)
{
	unsigned long kilobytes = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	check(f);
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name)))
			kilobytes = strtoul(line + strlen(name) + 1, NULL, 10);
	fclose(f);
	check(kilobytes, "%s", name);
	return kilobytes << 10;
}

static void set(int which, unsigned long value)
{
	resource = which;
	check(getrlimit(which, &limit) == 0);
	limit.rlim_cur = value;
	check(setrlimit(which, &limit) == 0);
}

static void still(void)
{
	struct rlimit now;

	check(getrlimit(resource, &now) == 0 && now.rlim_cur == limit.rlim_cur && now.rlim_max == limit.rlim_max);
}

static void address_space(void)
{
	set(RLIMIT_AS, field("VmSize:"));
}

static void no_address_space(void)
{
	set(RLIMIT_AS, PAGE);
}

static void address_space_after(void)
{
	still();
	check(mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
}

static void data(void)
{
	set(RLIMIT_DATA, PAGE);
}

static void stack(void)
{
	volatile char deep[64 << 10];

	memset((char *)deep, 1, sizeof deep);
	set(RLIMIT_STACK, 16 << 10);
}

static void descriptors(void)
{
	check(fcntl(2, F_DUPFD, 900) == 900);
	set(RLIMIT_NOFILE, 3);
}

static void descriptors_after(void)
{
	still();
	check(fcntl(900, F_GETFD) == 0 && dup(2) < 0 && errno == EMFILE);
	set(RLIMIT_NOFILE, 1024); /* for the result */
}

static void none(void)
{
	set(RLIMIT_NOFILE, 0);
}

static void none_after(void)
{
	still();
	set(RLIMIT_NOFILE, 1024);
}

static void file_size(void)
{
	signal(SIGXFSZ, SIG_IGN);
	set(RLIMIT_FSIZE, 0);
}

static void file_size_after(void)
{
	still();
	set(RLIMIT_FSIZE, 1 << 20);
}

static timer_t timer;

static void signals(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	union sigval value = { .sival_int = 5 };
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	check(sigprocmask(SIG_BLOCK, &mask, NULL) == 0);
	check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && sigqueue(getpid(), SIGRTMIN, value) == 0);
	set(RLIMIT_SIGPENDING, 0);
}

static void signals_after(void)
{
	struct itimerspec spec;
	siginfo_t info;
	sigset_t mask;

	still();
	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	check(sigtimedwait(&mask, &info, &(struct timespec){ 0, 0 }) == SIGRTMIN && info.si_value.sival_int == 5);
	check(timer_gettime(timer, &spec) == 0);
}

static char *locked;

static void memlock(void)
{
	locked = test_mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(mlock(locked, 64 * PAGE) == 0);
	set(RLIMIT_MEMLOCK, 0);
}

static void memlock_after(void)
{
	still();
	check(field("VmLck:") >= 64 * PAGE);
}

/* Processes: of an ordinary user, who may have no more. */
static void processes(void)
{
	if (getuid() == 0)
		check(setresgid(65534, 65534, 65534) == 0 && setresuid(4321, 4321, 4321) == 0);
	set(RLIMIT_NPROC, 1);
}

static void processes_after(void)
{
	still();
	if (getuid() == 4321)
		check(fork() < 0 && errno == EAGAIN);
}

static void cpu(void)
{
	set(RLIMIT_CPU, 1);
}

static const struct test_kind kinds[] = {
	{ "as", address_space, address_space_after },
	{ "as_none", no_address_space, address_space_after },
	{ "data", data, still },
	{ "stack", stack, still },
	{ "nofile", descriptors, descriptors_after },
	{ "nofile_none", none, none_after },
	{ "fsize", file_size, file_size_after },
	{ "sigpending", signals, signals_after },
	{ "memlock", memlock, memlock_after },
	{ "nproc", processes, processes_after },
	{ "cpu", cpu, still },
};

/* A child has the limits: its parent needs descriptors and a file to say that they are ready. */
struct shared {
	volatile int ready, go;
};

static void in_child(const struct test_kind *kind, struct shared *shared)
{
	kind->setup();
	shared->ready = 1;
	while (!shared->go)
		usleep(2000);
	kind->verify();
	_exit(0);
}

int main(int argc, char **argv)
{
	struct shared *shared = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const struct test_kind *kind = NULL;
	pid_t child;

	test_init(argc, argv);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (argc > 2 && !strcmp(kinds[i].name, argv[2]))
			kind = &kinds[i];
	check(kind, "no such kind");
	child = test_fork();
	if (child == 0)
		in_child(kind, shared);
	while (!shared->ready) {
		check(waitpid(child, NULL, WNOHANG) == 0, "the child has ended");
		usleep(2000);
	}
	test_ready();
	test_wait();
	shared->go = 1;
	test_join(child);
	test_pass();
}
