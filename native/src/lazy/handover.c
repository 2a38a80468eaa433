/* SPDX-License-Identifier: MIT */
#include "lazy/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "lazy/wire.h"
#include "tree/restore_tree.h"

/* Returns a descriptor, or -1 with errno and no error set. */
static int open_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = LAZY_FEATURES };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
		int code = errno;

		close(fd);
		errno = code;
		return -1;
	}
	return fd;
}

bool lazy_possible(void)
{
	auto_fd fd = open_uffd();

	return fd >= 0;
}

bool lazy_wanted(const struct request *request)
{
	if (!request->lazy_pages || lazy_possible())
		return request->lazy_pages;
	if (errno == EPERM)
		pr_warn("--lazy-pages: memory is restored at once: a userfaultfd that tells of forks takes CAP_SYS_PTRACE");
	else
		pr_warn("--lazy-pages: memory is restored at once: no userfaultfd (%s)", strerror(errno));
	return false;
}

int lazy_connect(struct restore *restore)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), shared = 0;

	if (fd < 0)
		return err_errno("--lazy-pages: no socket");
	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/" LAZY_SOCKET, restore->request->work_fd);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		err_errno("--lazy-pages: no daemon at " LAZY_SOCKET " in the work directory (start `pcr lazy-pages` with the same -D and -W first)");
		close(fd);
		return -1;
	}
	restore->lazy_slot = restore_free_slot(restore);
	if (dup3(fd, restore->lazy_slot, O_CLOEXEC) < 0) {
		err_errno("cannot use descriptor number %d", restore->lazy_slot);
		restore->lazy_slot = 0;
	}
	close(fd);
	for (size_t i = 0; i < restore->task_count && restore->lazy_slot; i++) {
		struct restore_task *task = &restore->tasks[i];

		if (!task->lazy_count)
			continue;
		/* Only who shares a descriptor table needs one of its own. */
		if (task->files_owner != task || !shared)
			task->uffd_slot = restore_free_slot(restore);
		else
			task->uffd_slot = shared;
		if (task->files_owner == task)
			shared = task->uffd_slot;
		/* Nothing else is to be opened there meanwhile. */
		if (dup3(restore->lazy_slot, task->uffd_slot, O_CLOEXEC) < 0)
			return err_errno("cannot use descriptor number %d", task->uffd_slot);
	}
	return restore->lazy_slot ? 0 : -1;
}

void lazy_disconnect(struct restore *restore)
{
	for (size_t i = 0; i < restore->task_count; i++)
		if (restore->tasks[i].uffd_slot)
			close(restore->tasks[i].uffd_slot);
	if (restore->lazy_slot)
		close(restore->lazy_slot);
	restore->lazy_slot = 0;
}

static void lock(uint32_t *word)
{
	while (__atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL, NULL, 0);
}

static void unlock(uint32_t *word)
{
	__atomic_store_n(word, 0, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int send_all(int socket, uint32_t pid, int uffd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec byte = { "", 1 };
	struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	if (send(socket, &pid, sizeof(pid), MSG_NOSIGNAL) != sizeof(pid))
		return -1;
	if (uffd < 0)
		return 0;
	memcpy(CMSG_DATA(&control.head), &uffd, sizeof(uffd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int lazy_hand_over(struct restore *restore, struct restore_task *task)
{
	auto_fd fd = open_uffd();
	int sent;

	if (fd < 0)
		return err_errno("cannot make a userfaultfd");
	if (dup3(fd, task->uffd_slot, O_CLOEXEC) < 0)
		return err_errno("cannot use descriptor number %d", task->uffd_slot);
	lock(&restore->shared->lazy_lock);
	sent = send_all(restore->lazy_slot, task->pid, task->uffd_slot);
	unlock(&restore->shared->lazy_lock);
	return sent < 0 ? err_errno("the lazy-pages daemon is gone: its log says why") : 0;
}

int lazy_finish(struct restore *restore)
{
	if (send_all(restore->lazy_slot, LAZY_RESTORED, -1) < 0)
		return err_errno("the lazy-pages daemon is gone: its log says why");
	return 0;
}
