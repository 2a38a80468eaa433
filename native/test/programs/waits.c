/* SPDX-License-Identifier: MIT
 *
 * Children dumped while they wait in a system call that syscalls.c does not have. None may return before it gets what it waits for,
 * but with EINTR where signal(7) says that a stop may cause it.
 */
#include "test.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

static struct shared {
	volatile int go;
	pthread_mutex_t pi;
	uint32_t words[2];
} *shared;
static int queue = -1, semaphores = -1, file_fd, sockets[2], pair[2], pipe_fds[2];
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_size;

static void receive_message(void)
{
	struct { long type; char text[8]; } m;

	while (msgrcv(queue, &m, sizeof m.text, 7, 0) < 0)
		check(errno == EINTR);
	check(shared->go && m.type == 7);
}

static void take_semaphore(void)
{
	struct sembuf op = { 0, -1, 0 };

	while (semop(semaphores, &op, 1) < 0)
		check(errno == EINTR);
	check(shared->go);
}

static void lock_file(void)
{
	int fd = open(test_path("flock"), O_RDWR);

	check(fd >= 0);
	while (flock(fd, LOCK_EX) < 0)
		check(errno == EINTR);
	check(shared->go);
}

static void lock_record(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(test_path("record"), O_RDWR);

	check(fd >= 0);
	while (fcntl(fd, F_SETLKW, &l) < 0)
		check(errno == EINTR);
	check(shared->go);
}

static void accept_one(void)
{
	int fd;

	while ((fd = accept(sockets[0], NULL, NULL)) < 0)
		check(errno == EINTR, "accept");
	check(shared->go);
}

static void receive_one(void)
{
	struct timeval limit = { 600, 0 };
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	check(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
	while ((n = recvmsg(pair[0], &m, 0)) < 0)
		check(errno == EINTR, "recvmsg");
	check(n == 1 && c == 'x' && shared->go);
}

static void epoll(void)
{
	int fd = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN };
	sigset_t mask;
	int n;

	sigfillset(&mask);
	check(fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, pipe_fds[0], &e) == 0);
	while ((n = epoll_pwait(fd, &e, 1, 600000, &mask)) < 0)
		check(errno == EINTR);
	check(n == 1 && shared->go);
}

static void pi_mutex(void)
{
	check(pthread_mutex_lock(&shared->pi) == 0 && shared->go);
	check(pthread_mutex_unlock(&shared->pi) == 0);
}

static void futexes(void)
{
	struct futex_waitv w[2];

	for (int i = 0; i < 2; i++)
		w[i] = (struct futex_waitv){ .val = 0, .uaddr = (uintptr_t)&shared->words[i], .flags = FUTEX_32 };
	while (syscall(SYS_futex_waitv, w, 2, 0, NULL, 0) < 0 && errno != EAGAIN)
		check(errno == EINTR);
	check(shared->go);
}

static void pause_for(void)
{
	pause();
	check(0, "pause returned");
}

static void on_usr1(int sig)
{
	(void)sig;
	_exit(shared->go ? 0 : 1);
}

static void child_of_child(void)
{
	siginfo_t info = { 0 };
	pid_t pid = test_fork();

	if (pid == 0) {
		while (!shared->go)
			usleep(2000);
		_exit(5);
	}
	while (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED) < 0)
		check(errno == EINTR);
	check(info.si_pid == pid && info.si_status == 5 && info.si_code == CLD_EXITED, "code %d status %d", info.si_code, info.si_status);
}

static void read_fifo(void)
{
	int fd = open(test_path("fifo"), O_RDONLY); /* waits for a writer */

	check(fd >= 0 && shared->go);
}

static const struct {
	const char *name, *says;
	void (*wait)(void);
} waits[] = {
	{ "msgrcv", "msgrcv", receive_message },
	{ "semop", "semop", take_semaphore },
	{ "flock", "flock", lock_file },
	{ "record", "fcntl", lock_record },
	{ "accept", "accept", accept_one },
	{ "recvmsg", "recvmsg", receive_one },
	{ "epoll_pwait", "epoll_pwait", epoll },
	{ "pi_mutex", "futex", pi_mutex },
	{ "futex_waitv", "futex_waitv", futexes },
	{ "pause", "pause", pause_for },
	{ "waitid", "waitid", child_of_child },
	{ "open_fifo", "open", read_fifo },
};

/* Sleeping in a system call that is not a short nap's: then the second look finds it in the same one. */
static int asleep(pid_t pid)
{
	char path[64], text[64] = "";
	long number = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/syscall", pid);
	f = fopen(path, "re");
	check(f);
	if (fgets(text, sizeof text, f))
		sscanf(text, "%ld", &number);
	fclose(f);
	return number >= 0 && number != SYS_clock_nanosleep && number != SYS_nanosleep;
}

static void release(const char *name, pid_t child)
{
	struct { long type; char text[8]; } m = { 7, "x" };
	struct sembuf up = { 0, 1, 0 };
	struct flock unlock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	shared->go = 1;
	if (!strcmp(name, "msgrcv"))
		check(msgsnd(queue, &m, sizeof m.text, 0) == 0);
	if (!strcmp(name, "semop"))
		check(semop(semaphores, &up, 1) == 0);
	if (!strcmp(name, "flock"))
		check(flock(file_fd, LOCK_UN) == 0);
	if (!strcmp(name, "record"))
		check(fcntl(file_fd, F_SETLK, &unlock) == 0);
	if (!strcmp(name, "accept"))
		check(connect(sockets[1], (void *)&address, address_size) == 0);
	if (!strcmp(name, "recvmsg"))
		check(write(pair[1], "x", 1) == 1);
	if (!strcmp(name, "epoll_pwait"))
		check(write(pipe_fds[1], "x", 1) == 1);
	if (!strcmp(name, "pi_mutex"))
		check(pthread_mutex_unlock(&shared->pi) == 0);
	if (!strcmp(name, "futex_waitv")) {
		shared->words[1] = 1;
		syscall(SYS_futex, &shared->words[1], FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	if (!strcmp(name, "pause"))
		check(kill(child, SIGUSR1) == 0);
	if (!strcmp(name, "open_fifo"))
		check(open(test_path("fifo"), O_WRONLY) >= 0);
}

static void prepare(const char *name)
{
	pthread_mutexattr_t a;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	shared = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	signal(SIGUSR1, on_usr1);
	if (!strcmp(name, "msgrcv"))
		check((queue = msgget(IPC_PRIVATE, 0600)) >= 0);
	if (!strcmp(name, "semop"))
		check((semaphores = semget(IPC_PRIVATE, 1, 0600)) >= 0);
	if (!strcmp(name, "flock") || !strcmp(name, "record")) {
		file_fd = open(test_path(name), O_RDWR | O_CREAT, 0600);
		check(file_fd >= 0 && (*name == 'f' ? flock(file_fd, LOCK_EX) : fcntl(file_fd, F_SETLK, &lock)) == 0);
	}
	if (!strcmp(name, "accept")) {
		address_size = offsetof(struct sockaddr_un, sun_path) + 1 + snprintf(address.sun_path + 1, 60, "pcr-test-waits-%d", getpid());
		check((sockets[0] = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0 && (sockets[1] = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
		check(bind(sockets[0], (void *)&address, address_size) == 0 && listen(sockets[0], 4) == 0);
	}
	if (!strcmp(name, "recvmsg"))
		check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	if (!strcmp(name, "epoll_pwait"))
		check(pipe(pipe_fds) == 0);
	if (!strcmp(name, "open_fifo"))
		check(mkfifo(test_path("fifo"), 0600) == 0);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	check(pthread_mutex_init(&shared->pi, &a) == 0 && pthread_mutex_lock(&shared->pi) == 0);
}

int main(int argc, char **argv)
{
	size_t i = 0;
	pid_t child;

	test_init(argc, argv);
	while (i < sizeof waits / sizeof *waits && strcmp(waits[i].name, argc > 2 ? argv[2] : ""))
		i++;
	check(i < sizeof waits / sizeof *waits, "no such wait");
	prepare(waits[i].name);
	child = test_fork();
	if (child == 0) {
		waits[i].wait();
		_exit(0);
	}
	while (!asleep(child)) {
		check(waitpid(child, NULL, WNOHANG) == 0, "it does not wait in %s", waits[i].says);
		usleep(2000);
	}
	test_ready();
	test_wait();
	release(waits[i].name, child);
	test_join(child);
	if (queue >= 0)
		msgctl(queue, IPC_RMID, NULL);
	if (semaphores >= 0)
		semctl(semaphores, 0, IPC_RMID);
	test_pass();
}
