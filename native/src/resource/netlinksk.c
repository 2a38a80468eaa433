/* SPDX-License-Identifier: MIT
 *
 * Netlink sockets: their number, groups and options. Messages that the kernel has sent and nobody has read cannot be sent again by us,
 * so a socket with some is refused: whoever waits for an answer would wait for ever.
 */
#include "resource/netlinksk.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/regfile.h"
#include "resource/sk_diag.h"
#include "resource/sk_opts.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

/* netlink_sk_entry.state as netlink_diag has it. */
#define STATE_CONNECTED 1
#define GROUP_WORDS_MAX 1024

/* --- dump --- */

static bool netlinksk_recognise(const struct fd_info *info)
{
	return sk_family(info) == AF_NETLINK;
}

static int take_state(const struct nlmsghdr *answer, void *arg)
{
	const struct netlink_diag_msg *msg = NLMSG_DATA(answer);
	NetlinkSkEntry *e = arg;

	if (msg->ndiag_ino != e->ino)
		return 0;
	e->state = msg->ndiag_state;
	e->portid = msg->ndiag_portid;
	e->dst_portid = msg->ndiag_dst_portid;
	e->dst_group = msg->ndiag_dst_group;
	return 0;
}

/* The kernel gives as many bytes as it has groups for this protocol. */
static void dump_groups(int fd, NetlinkSkEntry *e)
{
	uint32_t words[GROUP_WORDS_MAX] = { 0 };
	socklen_t n = sizeof(words);
	size_t count;

	if (getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, words, &n) < 0)
		return;
	count = (n < sizeof(words) ? n : sizeof(words)) / sizeof(uint32_t);
	while (count && !words[count - 1])
		count--;
	e->groups = xzalloc((count + 1) * sizeof(*e->groups));
	e->n_groups = count;
	memcpy(e->groups, words, count * sizeof(*words));
}

static int netlinksk_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	struct netlink_diag_req request = { .sdiag_family = AF_NETLINK };
	NetlinkSkEntry *e = xzalloc(sizeof(*e));

	netlink_sk_entry__init(e);
	entry->nlsk = e;
	e->id = entry->id;
	e->ino = info->st.st_ino;
	e->protocol = sk_get_int(info->dup, SOL_SOCKET, SO_PROTOCOL);
	e->flags = info->flags;
	e->has_ns_id = true;
	e->ns_id = dump->namespaces.net_ns_id;
	e->fown = fown_dump(info->dup);
	if (poll(&(struct pollfd){ .fd = info->dup, .events = POLLIN }, 1, 0) > 0)
		return err_set(ENOTSUP,
			       "pid %d: descriptor %d (%s) is a netlink socket with messages that have not been read, which cannot be kept: dump again "
			       "when it has read them",
			       info->task->pid, info->fd, info->link);
	request.sdiag_protocol = e->protocol;
	if (sk_diag_dump(&request, sizeof(request), take_state, e) < 0)
		return -1;
	dump_groups(info->dup, e);
	e->opts = sk_opts_dump(info);
	return e->opts ? 0 : -1;
}

/* --- restore --- */

static int netlinksk_collect(struct restore *restore, FileEntry *entry)
{
	if (!entry->nlsk)
		return err_set(EINVAL, "files.img: id %u has no netlink_sk_entry", entry->id);
	if (entry->nlsk->n_groups > GROUP_WORDS_MAX)
		return err_set(EINVAL, "files.img: id %u is a netlink socket with %zu words of groups", entry->id, entry->nlsk->n_groups);
	return 0;
}

static int join_groups(const NetlinkSkEntry *e, int fd)
{
	for (size_t word = 0; word < e->n_groups; word++)
		for (int bit = 0; bit < 32; bit++) {
			int group = word * 32 + bit + 1;

			if (e->groups[word] & 1u << bit && setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
				return err_errno("netlink socket of protocol %u: cannot join group %d", e->protocol, group);
		}
	return 0;
}

static int netlinksk_open(struct restore *restore, FileEntry *entry)
{
	const NetlinkSkEntry *e = entry->nlsk;
	struct sockaddr_nl own = { .nl_family = AF_NETLINK, .nl_pid = e->portid };
	struct sockaddr_nl peer = { .nl_family = AF_NETLINK, .nl_pid = e->dst_portid };
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, e->protocol);
	int result;

	if (fd < 0)
		return err_errno("cannot make a netlink socket of protocol %u", e->protocol);
	if (e->portid && bind(fd, (void *)&own, sizeof(own)) < 0)
		return err_errno("a netlink socket of protocol %u cannot have the number %u", e->protocol, e->portid);
	if (e->dst_group)
		peer.nl_groups = e->dst_group <= 32 ? 1u << (e->dst_group - 1) : 0;
	if (e->state == STATE_CONNECTED && connect(fd, (void *)&peer, sizeof(peer)) < 0)
		return err_errno("a netlink socket of protocol %u cannot be connected to %u", e->protocol, e->dst_portid);
	if (join_groups(e, fd) < 0 || sk_opts_restore(e->opts, fd) < 0 || sk_flags_restore(fd, e->flags) < 0)
		return -1;
	result = fd;
	fd = -1;
	return result;
}

static int netlinksk_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->nlsk->fown, fd);
}

const struct fd_kind netlinksk_kind = {
	.type = FD_TYPES__NETLINKSK,
	.name = "netlink socket",
	.recognise = netlinksk_recognise,
	.dump = netlinksk_dump,
	.collect = netlinksk_collect,
	.open = netlinksk_open,
	.settle = netlinksk_settle,
};
