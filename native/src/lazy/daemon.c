/* SPDX-License-Identifier: MIT */
#include "lazy/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "lazy/process.h"
#include "lazy/source.h"
#include "lazy/victims.h"
#include "lazy/wire.h"

#define SOURCES_MAX 65536
/* How soon a page is tried again that an event keeps away, milliseconds. */
#define RETRY_MS 1
/* How long the front waits for killed processes to be gone before it leaves their memory's descriptors, microseconds. */
#define KILLED_US 5000000
#define NOWHERE 0x7fffffffe000

int lazy_listen(const struct request *request)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	mode_t mask;

	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" LAZY_SOCKET, request->work_fd);
	if (fd < 0)
		return err_errno("no socket");
	if (unlinkat(request->work_fd, LAZY_SOCKET, 0) < 0 && errno != ENOENT) {
		err_errno("cannot replace " LAZY_SOCKET " in the work directory");
		close(fd);
		return -1;
	}
	mask = umask(0077);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 10) < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		err_errno("cannot listen at " LAZY_SOCKET " in the work directory");
	umask(mask);
	if (err_code() || lazy_server_connect(request) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* --- the worker --- */

static struct daemon {
	const struct request *request;
	int epoll, listener, connection; /* -1: closed */
	bool restored; /* the tree runs */
	struct lazy_source **sources;
	size_t source_count, source_room;
	struct lazy_process **processes;
	size_t process_count, process_room, next; /* next: whose turn it is to be filled */
	uint64_t bytes;
} d;

static int watch(int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	return epoll_ctl(d.epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : err_errno("epoll");
}

static struct lazy_process *add_process(int uffd, const struct lazy_source *source)
{
	struct lazy_process *p = xzalloc(sizeof(*p));

	fcntl(uffd, F_SETFL, O_NONBLOCK);
	p->uffd = uffd;
	p->source = source;
	*(struct lazy_process **)array_push(&d.processes, &d.process_count, &d.process_room, sizeof(*d.processes)) = p;
	return watch(uffd, p) < 0 ? NULL : p;
}

static void forked(struct lazy_process *parent, int uffd)
{
	struct lazy_process *p = add_process(uffd, parent->source);

	pr_debug("pid %u, or a child of it, has forked", parent->source->pid);
	if (p)
		lazy_space_copy(&p->space, &parent->space);
}

static bool is_uffd(int fd)
{
	char path[64], name[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, name, sizeof(name) - 1) > 0 && !strcmp(name, "anon_inode:[userfaultfd]");
}

/* size bytes of the restore's, and what comes with them. Returns 1, 0 at the end, -1 with the error set. */
static int receive(void *to, size_t size, struct ucred *from, int *fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec bytes = { to, size };
	struct msghdr m = { .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;

	while ((n = recvmsg(d.connection, &m, MSG_WAITALL | MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return err_errno("the connection to the restore broke");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(from, CMSG_DATA(c), sizeof(*from));
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
				if (*fd >= 0)
					close(*fd);
				memcpy(fd, (char *)c + at, sizeof(*fd));
			}
	}
	if (n == (ssize_t)size)
		return 1;
	return n == 0 ? 0 : err_set(EPROTO, "the restore sent %zd bytes instead of %zu", n, size);
}

static int take_process(uint32_t pid)
{
	struct lazy_source *source = xzalloc(sizeof(*source));
	struct ucred from = { 0 };
	struct lazy_process *p;
	int fd = -1, got;
	char byte;

	*(struct lazy_source **)array_push(&d.sources, &d.source_count, &d.source_room, sizeof(*d.sources)) = source;
	got = receive(&byte, 1, &from, &fd);
	if (got < 0)
		return -1;
	if (!got || fd < 0 || !is_uffd(fd) || d.source_count > SOURCES_MAX)
		return err_set(EPROTO, "the restore sent no userfaultfd for pid %u", pid);
	victims_add(from.pid);
	if (lazy_source_open(source, d.request->images_fd, pid) < 0)
		return -1;
	p = add_process(fd, source);
	if (!p)
		return -1;
	lazy_space_fill(&p->space, source->runs);
	d.bytes += lazy_space_size(&p->space);
	pr_info("pid %u: %" PRIu64 " pages to bring", pid, lazy_space_size(&p->space) / PAGE);
	return 0;
}

static void hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int take_message(void)
{
	struct ucred from = { 0 };
	uint32_t pid;
	int fd = -1, got = receive(&pid, sizeof(pid), &from, &fd);

	hang_up(&fd);
	if (got < 0)
		return -1;
	if (!got && d.restored) {
		hang_up(&d.connection);
		return 0;
	}
	if (!got)
		return err_set(ECONNABORTED, "the restore failed: its log says why");
	if (pid != LAZY_RESTORED)
		return take_process(pid);
	d.restored = true;
	pr_info("the tree runs; %" PRIu64 " pages in %zu processes are brought meanwhile", d.bytes / PAGE, d.process_count);
	return 0;
}

/* The one restore that we are there for. */
static int take_connection(void)
{
	struct ucred who = { 0 };
	socklen_t size = sizeof(who);

	d.connection = accept4(d.listener, NULL, NULL, SOCK_CLOEXEC);
	if (d.connection < 0)
		return err_errno("cannot accept the restore's connection");
	if (getsockopt(d.connection, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || (who.uid != geteuid() && who.uid != 0)) {
		pr_warn("a connection of uid %u, who is not to restore here, is refused", who.uid);
		hang_up(&d.connection);
		return 0;
	}
	hang_up(&d.listener);
	return watch(d.connection, &d.connection);
}

/* Those that have everything, or are no more. */
static void part(void)
{
	size_t left = 0;

	for (size_t i = 0; i < d.process_count; i++) {
		struct lazy_process *p = d.processes[i];

		if (!p->gone && (!d.restored || p->waiting_count || lazy_space_first(&p->space))) {
			d.processes[left++] = p;
			continue;
		}
		pr_debug("pid %u%s", p->source->pid, p->gone ? " has ended, or runs another program" : ": all is there");
		/* The last one that is closed takes the registration off all its memory. */
		epoll_ctl(d.epoll, EPOLL_CTL_DEL, p->uffd, NULL);
		close(p->uffd);
		lazy_space_free(&p->space);
		free(p->waiting);
		free(p);
	}
	d.process_count = left;
}

static int fill_next(void)
{
	struct lazy_process *p;

	if (!d.process_count)
		return 0;
	p = d.processes[d.next % d.process_count];
	/* One after the other: what is read is read in order. */
	if (!lazy_space_first(&p->space))
		d.next++;
	return lazy_process_fill(p);
}

static int handle(const struct epoll_event *event)
{
	if (event->data.ptr == &d.listener)
		return take_connection();
	if (event->data.ptr == &d.connection)
		return take_message();
	return lazy_process_listen(event->data.ptr, forked);
}

static int work(void)
{
	struct epoll_event events[64];

	d.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d.epoll < 0 || watch(d.listener, &d.listener) < 0)
		return err_errno("epoll");
	while (!d.restored || d.process_count) {
		bool waiting = false;
		int n;

		for (size_t i = 0; i < d.process_count; i++)
			waiting |= d.processes[i]->waiting_count > 0;
		n = epoll_wait(d.epoll, events, ARRAY_LEN(events), waiting ? RETRY_MS : d.restored ? 0 : -1);
		if (n < 0 && errno != EINTR)
			return err_errno("epoll");
		for (int i = 0; i < n; i++)
			if (handle(&events[i]) < 0)
				return -1;
		for (size_t i = 0; i < d.process_count; i++)
			if (d.processes[i]->waiting_count && lazy_process_answer(d.processes[i]) < 0)
				return -1;
		if (d.restored && fill_next() < 0)
			return -1;
		part();
		if (err_code())
			return -1;
	}
	pr_info("all memory is there: %" PRIu64 " pages", d.bytes / PAGE);
	return lazy_server_end();
}

/* --- the front --- */

struct outcome {
	int code;
	bool said;
	char text[ERR_TEXT_MAX];
};

static pid_t start_worker(struct outcome *outcome)
{
	/* Descriptors that the worker gets are ours, too. */
	pid_t pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid)
		return pid;
	if (work() < 0) {
		outcome->code = err_code();
		snprintf(outcome->text, sizeof(outcome->text), "%s", err_text());
		victims_kill();
		for (size_t i = 0; i < d.process_count; i++)
			lazy_process_poison(d.processes[i]);
	}
	outcome->said = true;
	_exit(0);
}

/* Whether a process lives whose memory is not complete. */
static bool anybody_left(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;
	bool any = false;

	while (dir && (e = readdir(dir)) && !any) {
		/* Nothing is mapped at the end of user space; but memory that is no more is told apart. */
		struct uffdio_zeropage zero = { .range = { NOWHERE, PAGE } };
		int fd = atoi(e->d_name);

		any = e->d_name[0] != '.' && is_uffd(fd) && ioctl(fd, UFFDIO_ZEROPAGE, &zero) < 0 && errno != ESRCH;
	}
	if (dir)
		closedir(dir);
	return any;
}

/* The worker was killed. */
static int end_tree(void)
{
	uint64_t start = now_us();

	victims_kill();
	while (anybody_left() && now_us() - start < KILLED_US)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	err_set(ECHILD, "the process that brings memory was killed: the restored processes have been killed as well%s",
		anybody_left() ? "; one that they had forked lives on, and waits for its memory as long as this process stays" : "");
	while (anybody_left())
		sleep(1);
	return -1;
}

/* A descriptor for each process and what it forks is many for the usual soft limit. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int lazy_serve(const struct request *request, int listener)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	d = (struct daemon){ .request = request, .listener = listener, .connection = -1 };
	if (outcome == MAP_FAILED)
		return err_errno("cannot map shared memory");
	if (victims_prepare() < 0)
		return -1;
	allow_descriptors();
	pid = start_worker(outcome);
	if (pid < 0)
		return err_errno("cannot start a process");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	unlinkat(request->work_fd, LAZY_SOCKET, 0);
	if (!outcome->said)
		return end_tree();
	return outcome->code ? err_adopt(outcome->code, outcome->text) : 0;
}
