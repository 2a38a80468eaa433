/* SPDX-License-Identifier: MIT
 *
 * Packet sockets: device, protocol, options, memberships, fanout group. What was captured and not read is lost, as on any busy network.
 */
#include "resource/packetsk.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/regfile.h"
#include "resource/sk_diag.h"
#include "resource/sk_opts.h"
#include "tree/dump.h"
#include "resource/vma.h"
#include "tree/restore_tree.h"
#include "tree/task.h"

#define NO_FANOUT 0xffffffffu
#define ADDRESS_MAX 32 /* MAX_ADDR_LEN, linux/netdevice.h */

/* --- dump --- */

static bool packetsk_recognise(const struct fd_info *info)
{
	return sk_family(info) == AF_PACKET;
}

struct found {
	PacketSockEntry *e;
	uint32_t inode;
	bool seen;
};

/* Packet sockets of the tree, and mappings of their rings. */
static struct ring_use {
	uint64_t inode, address;
	pid_t pid; /* 0: a socket */
} *uses;
static size_t use_count, use_room;

static void note_use(uint64_t inode, pid_t pid, uint64_t address)
{
	*(struct ring_use *)array_push(&uses, &use_count, &use_room, sizeof(*uses)) = (struct ring_use){ inode, address, pid };
}

void packetsk_dump_mapping(const struct task *task, const struct vma *vma)
{
	note_use(vma->inode, task->pid, vma->start);
}

static int packetsk_dump_end(struct dump *dump)
{
	for (size_t i = 0; i < use_count; i++) {
		bool known = !uses[i].pid;

		for (size_t j = 0; j < use_count && !known; j++)
			known = !uses[j].pid && uses[j].inode == uses[i].inode;
		if (!known)
			return err_set(ENOTSUP, "pid %d: the mapping at 0x%" PRIx64 " is of a socket (socket:[%" PRIu64 "]) that is no packet socket of the "
				       "tree, so it cannot be dumped", uses[i].pid, uses[i].address, uses[i].inode);
	}
	return 0;
}

static void packetsk_forget(void)
{
	free(uses);
	uses = NULL;
	use_count = use_room = 0;
}

/* NULL: the socket has none. */
static PacketRing *dump_ring(const struct nlmsghdr *answer, int attribute)
{
	size_t n;
	const struct packet_diag_ring *ring = sk_diag_attribute(answer, sizeof(struct packet_diag_msg), attribute, &n);
	PacketRing *r;

	if (!ring || n < sizeof(*ring) || !ring->pdr_block_nr)
		return NULL;
	r = xzalloc(sizeof(*r));
	packet_ring__init(r);
	r->block_size = ring->pdr_block_size;
	r->block_nr = ring->pdr_block_nr;
	r->frame_size = ring->pdr_frame_size;
	r->frame_nr = ring->pdr_frame_nr;
	r->retire_tmo = ring->pdr_retire_tmo;
	r->sizeof_priv = ring->pdr_sizeof_priv;
	r->features = ring->pdr_features;
	return r;
}

static int take_state(const struct nlmsghdr *answer, void *arg)
{
	const struct packet_diag_msg *msg = NLMSG_DATA(answer);
	struct found *found = arg;
	PacketSockEntry *e = found->e;
	const struct packet_diag_info *info;
	const struct packet_diag_mclist *list;
	const uint32_t *fanout;
	size_t n, room = 0;

	if (msg->pdiag_ino != found->inode)
		return 0;
	found->seen = true;
	e->type = msg->pdiag_type;
	e->protocol = htobe16(msg->pdiag_num);
	if ((info = sk_diag_attribute(answer, sizeof(*msg), PACKET_DIAG_INFO, &n)) && n >= sizeof(*info)) {
		e->ifindex = info->pdi_index;
		e->version = info->pdi_version;
		e->reserve = info->pdi_reserve;
		e->copy_thresh = info->pdi_copy_thresh;
		e->timestamp = info->pdi_tstamp;
		e->aux_data = info->pdi_flags & PDI_AUXDATA;
		e->orig_dev = info->pdi_flags & PDI_ORIGDEV;
		e->vnet_hdr = info->pdi_flags & PDI_VNETHDR;
		e->loss = info->pdi_flags & PDI_LOSS;
	}
	e->rx_ring = dump_ring(answer, PACKET_DIAG_RX_RING);
	e->tx_ring = dump_ring(answer, PACKET_DIAG_TX_RING);
	if ((fanout = sk_diag_attribute(answer, sizeof(*msg), PACKET_DIAG_FANOUT, &n)) && n >= sizeof(*fanout)) {
		e->has_fanout = true;
		e->fanout = *fanout;
	}
	list = sk_diag_attribute(answer, sizeof(*msg), PACKET_DIAG_MCLIST, &n);
	for (size_t i = 0; list && i < n / sizeof(*list); i++) {
		PacketMclist *m = xzalloc(sizeof(*m));

		packet_mclist__init(m);
		*(PacketMclist **)array_push(&e->mclist, &e->n_mclist, &room, sizeof(m)) = m;
		m->index = list[i].pdmc_index;
		m->type = list[i].pdmc_type;
		m->addr.len = list[i].pdmc_alen < ADDRESS_MAX ? list[i].pdmc_alen : ADDRESS_MAX;
		m->addr.data = xzalloc(ADDRESS_MAX);
		memcpy(m->addr.data, list[i].pdmc_addr, m->addr.len);
	}
	return 0;
}

static int packetsk_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	struct packet_diag_req request = {
		.sdiag_family = AF_PACKET,
		.pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MCLIST | PACKET_SHOW_FANOUT | PACKET_SHOW_RING_CFG,
	};
	PacketSockEntry *e = xzalloc(sizeof(*e));
	struct found found = { e, info->st.st_ino, false };

	packet_sock_entry__init(e);
	entry->psk = e;
	e->id = entry->id;
	e->has_pcr_inode = true;
	e->pcr_inode = info->st.st_ino;
	e->flags = info->flags;
	e->has_ns_id = true;
	e->ns_id = dump->namespaces.net_ns_id;
	e->fown = fown_dump(info->dup);
	e->opts = sk_opts_dump(info);
	if (!e->opts || sk_diag_dump(&request, sizeof(request), take_state, &found) < 0)
		return -1;
	if (!found.seen)
		return err_set(EIO, "pid %d: descriptor %d (%s): the kernel does not tell about this packet socket", info->task->pid, info->fd,
			       info->link);
	note_use(info->st.st_ino, 0, 0);
	if (poll(&(struct pollfd){ .fd = info->dup, .events = POLLIN }, 1, 0) > 0)
		pr_warn("pid %d: descriptor %d (%s): the packets that it has captured and not read will be missing after a restore",
			info->task->pid, info->fd, info->link);
	return 0;
}

/* --- restore --- */

static int packetsk_collect(struct restore *restore, FileEntry *entry)
{
	const PacketSockEntry *e = entry->psk;

	if (!e)
		return err_set(EINVAL, "files.img: id %u has no packet_sock_entry", entry->id);
	if ((e->type != SOCK_RAW && e->type != SOCK_DGRAM && e->type != SOCK_PACKET) || e->protocol > 0xffff)
		return err_set(EINVAL, "files.img: id %u is a packet socket of type %u, protocol %u", entry->id, e->type, e->protocol);
	if (e->version > TPACKET_V3)
		return err_set(EINVAL, "files.img: id %u is a packet socket with ring version %u", entry->id, e->version);
	for (size_t i = 0; i < e->n_mclist; i++)
		if (e->mclist[i]->addr.len > ADDRESS_MAX)
			return err_set(EINVAL, "files.img: id %u is a packet socket with an address of %zu bytes", entry->id, e->mclist[i]->addr.len);
	return 0;
}

static int join(const PacketMclist *m, int fd)
{
	struct {
		struct packet_mreq mreq;
		unsigned char more[ADDRESS_MAX];
	} request = { .mreq = { .mr_ifindex = m->index, .mr_type = m->type, .mr_alen = m->addr.len } };

	memcpy((char *)&request + offsetof(struct packet_mreq, mr_address), m->addr.data, m->addr.len);
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) < 0)
		return err_errno("a packet socket cannot be subscribed on the device with index %u", m->index);
	return 0;
}

static int set_options(const PacketSockEntry *e, int fd)
{
	return sk_set_int(fd, SOL_PACKET, PACKET_VERSION, e->version, "PACKET_VERSION") < 0 ||
			       sk_set_int(fd, SOL_PACKET, PACKET_RESERVE, e->reserve, "PACKET_RESERVE") < 0 ||
			       sk_set_int(fd, SOL_PACKET, PACKET_AUXDATA, e->aux_data, "PACKET_AUXDATA") < 0 ||
			       sk_set_int(fd, SOL_PACKET, PACKET_ORIGDEV, e->orig_dev, "PACKET_ORIGDEV") < 0 ||
			       sk_set_int(fd, SOL_PACKET, PACKET_VNET_HDR, e->vnet_hdr, "PACKET_VNET_HDR") < 0 ||
			       sk_set_int(fd, SOL_PACKET, PACKET_LOSS, e->loss, "PACKET_LOSS") < 0 ||
			       sk_set_int(fd, SOL_PACKET, PACKET_TIMESTAMP, e->timestamp, "PACKET_TIMESTAMP") < 0 ||
			       (e->copy_thresh && sk_set_int(fd, SOL_PACKET, PACKET_COPY_THRESH, e->copy_thresh, "PACKET_COPY_THRESH") < 0)
		       ? -1
		       : 0;
}

static int set_ring(const PacketSockEntry *e, const PacketRing *r, int fd, int option, const char *what)
{
	struct tpacket_req3 request;
	socklen_t n = e->version == TPACKET_V3 ? sizeof(request) : sizeof(struct tpacket_req);

	if (!r)
		return 0;
	/* The beginning is a struct tpacket_req. */
	request = (struct tpacket_req3){ r->block_size, r->block_nr, r->frame_size, r->frame_nr, r->retire_tmo, r->sizeof_priv, r->features };
	if (setsockopt(fd, SOL_PACKET, option, &request, n) < 0)
		return err_errno("a packet socket cannot have its %s of %u blocks of %u bytes", what, r->block_nr, r->block_size);
	return 0;
}

struct restore_file *packetsk_find(struct restore *restore, uint64_t inode)
{
	for (size_t i = 0; i < restore->file_count; i++) {
		const PacketSockEntry *e = restore->files[i]->entry->type == FD_TYPES__PACKETSK ? restore->files[i]->entry->psk : NULL;

		if (e && e->has_pcr_inode && e->pcr_inode == inode)
			return restore->files[i];
	}
	return NULL;
}

static int packetsk_open(struct restore *restore, FileEntry *entry)
{
	const PacketSockEntry *e = entry->psk;
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = e->protocol, .sll_ifindex = e->ifindex };
	/* With protocol 0 it captures nothing before it is bound. */
	auto_fd fd = socket(AF_PACKET, e->type | SOCK_CLOEXEC, e->type == SOCK_PACKET ? e->protocol : 0);
	int result;

	if (fd < 0)
		return err_errno("cannot make a packet socket");
	if (set_options(e, fd) < 0 || sk_opts_restore(e->opts, fd) < 0 ||
	    set_ring(e, e->rx_ring, fd, PACKET_RX_RING, "receive ring") < 0 || set_ring(e, e->tx_ring, fd, PACKET_TX_RING, "transmit ring") < 0)
		return -1;
	if (e->type != SOCK_PACKET && (e->protocol || e->ifindex) && bind(fd, (void *)&address, sizeof(address)) < 0)
		return err_errno("a packet socket cannot be bound to the device with index %u", e->ifindex);
	for (size_t i = 0; i < e->n_mclist; i++)
		if (join(e->mclist[i], fd) < 0)
			return -1;
	if (e->has_fanout && e->fanout != NO_FANOUT && sk_set_int(fd, SOL_PACKET, PACKET_FANOUT, e->fanout, "PACKET_FANOUT") < 0)
		return -1;
	if (sk_flags_restore(fd, e->flags) < 0)
		return -1;
	result = fd;
	fd = -1;
	return result;
}

static int packetsk_settle(struct restore *restore, FileEntry *entry, int fd)
{
	return fown_restore(entry->psk->fown, fd);
}

const struct fd_kind packetsk_kind = {
	.type = FD_TYPES__PACKETSK,
	.name = "packet socket",
	.recognise = packetsk_recognise,
	.dump = packetsk_dump,
	.dump_end = packetsk_dump_end,
	.forget = packetsk_forget,
	.collect = packetsk_collect,
	.open = packetsk_open,
	.settle = packetsk_settle,
};
