/* SPDX-License-Identifier: MIT */
#include "resource/sk_diag.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/util.h"

#define ANSWER_MAX (256 * 1024)

int sk_diag_dump(const void *request, size_t size, int (*fn)(const struct nlmsghdr *, void *), void *arg)
{
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	auto_free char *answers = xrealloc(NULL, ANSWER_MAX);
	struct {
		struct nlmsghdr head;
		char body[128];
	} ask = { .head = { .nlmsg_len = NLMSG_LENGTH(size), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };

	memcpy(ask.body, request, size);
	if (fd < 0 || send(fd, &ask, ask.head.nlmsg_len, 0) < 0)
		return err_errno("cannot ask the kernel about sockets (sock_diag)");
	for (;;) {
		ssize_t n = recv(fd, answers, ANSWER_MAX, MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || n > ANSWER_MAX)
			return err_errno("the kernel does not tell about sockets (sock_diag)");
		for (struct nlmsghdr *h = (void *)answers; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR) {
				errno = -e->error;
				return err_errno("the kernel does not tell about sockets (sock_diag)");
			}
			if (fn(h, arg) < 0)
				return -1;
		}
	}
}

const void *sk_diag_attribute(const struct nlmsghdr *answer, size_t fixed, int type, size_t *length)
{
	const struct rtattr *a = (const void *)((const char *)NLMSG_DATA(answer) + NLMSG_ALIGN(fixed));
	int left = answer->nlmsg_len - NLMSG_LENGTH(NLMSG_ALIGN(fixed));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type) {
			*length = RTA_PAYLOAD(a);
			return RTA_DATA(a);
		}
	return NULL;
}
