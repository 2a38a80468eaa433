/* SPDX-License-Identifier: MIT */
#include "resource/udp_queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/in6.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/fd_kind.h"
#include "resource/inetsk.h"
#include "resource/sk_queue.h"

#define WAIT_MS 500
#define DATAGRAM_MAX 65507

/* Both ends of a datagram. IPv4 when both are, also to a socket of IPv6. */
struct ends {
	bool v4;
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} from, to;
	socklen_t length;
};

/* --- dump --- */

int udp_queue_dump(struct dump *dump, const struct fd_info *info, const InetSkEntry *e, const char *what)
{
	struct pollfd p = { .fd = info->dup, .events = POLLIN };
	int queued = 0;

	if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
		return 0;
	/* Reading would take away an error that the process has not seen yet. */
	if (e->proto == IPPROTO_UDP && !(p.revents & POLLERR))
		return sk_queue_dump(dump, info->dup, SOCK_DGRAM, e->id, what);
	if (ioctl(info->dup, FIONREAD, &queued) == 0 && queued)
		pr_warn("%s: the datagrams in its queue, the first of %d bytes, will be missing after a restore", what, queued);
	return 0;
}

/* --- restore --- */

static struct queue {
	const InetSkEntry *e;
	struct sk_packet *first;
} *queues;
static size_t queue_count, queue_room;

int udp_queue_collect(struct restore *restore, const InetSkEntry *e)
{
	bool failed = false;
	struct sk_packet *first;

	if (e->proto != IPPROTO_UDP)
		return 0;
	first = sk_queue_collect(restore, e->id, &failed);
	if (failed)
		return -1;
	if (first)
		*(struct queue *)array_push(&queues, &queue_count, &queue_room, sizeof(*queues)) = (struct queue){ e, first };
	return 0;
}

static const struct queue *find_queue(const InetSkEntry *e)
{
	for (size_t i = 0; i < queue_count; i++)
		if (queues[i].e == e)
			return &queues[i];
	return NULL;
}

bool udp_queue_has(const InetSkEntry *e)
{
	return find_queue(e);
}

bool udp_queue_by_name(void)
{
	static int raw_allowed = -1;

	if (queue_count && raw_allowed < 0) {
		auto_fd raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

		raw_allowed = raw >= 0;
	}
	return queue_count && !raw_allowed;
}

static bool is_mapped(const struct sockaddr_in6 *a)
{
	return IN6_IS_ADDR_V4MAPPED(&a->sin6_addr);
}

static void to_v4(const struct sockaddr_in6 *from, struct sockaddr_in *to)
{
	*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = from->sin6_port };
	memcpy(&to->sin_addr, from->sin6_addr.s6_addr + 12, sizeof(to->sin_addr));
}

/* pcr_from: the address without its family. false when it is none. */
static bool find_ends(const InetSkEntry *e, const struct sk_packet *p, struct ends *ends)
{
	struct sockaddr_storage own;
	struct sockaddr_in6 from = { .sin6_family = AF_INET6 };
	size_t room = (e->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(from)) - sizeof(sa_family_t);

	if (p->entry->pcr_from.len < room)
		return false;
	memset(ends, 0, sizeof(*ends));
	inetsk_address(e, false, &own);
	if (e->family == AF_INET) {
		ends->v4 = true;
		ends->from.in.sin_family = AF_INET;
		memcpy((char *)&ends->from.in + sizeof(sa_family_t), p->entry->pcr_from.data, room);
		memcpy(&ends->to.in, &own, sizeof(ends->to.in));
	} else {
		memcpy((char *)&from + sizeof(sa_family_t), p->entry->pcr_from.data, room);
		ends->v4 = is_mapped(&from);
		if (ends->v4) {
			to_v4(&from, &ends->from.in);
			to_v4((void *)&own, &ends->to.in);
		} else {
			ends->from.in6 = from;
			memcpy(&ends->to.in6, &own, sizeof(ends->to.in6));
		}
	}
	if (ends->v4 && !ends->to.in.sin_addr.s_addr)
		ends->to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!ends->v4 && IN6_IS_ADDR_UNSPECIFIED(&ends->to.in6.sin6_addr))
		ends->to.in6.sin6_addr = in6addr_loopback;
	ends->length = ends->v4 ? sizeof(ends->to.in) : sizeof(ends->to.in6);
	return true;
}

static uint32_t sum(uint32_t so_far, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		so_far += i % 2 ? bytes[i] : bytes[i] << 8;
	while (so_far >> 16)
		so_far = (so_far & 0xffff) + (so_far >> 16);
	return so_far;
}

static int send_raw(const struct ends *ends, const struct sk_packet *p)
{
	auto_fd raw = socket(ends->v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	auto_free char *packet = xzalloc(sizeof(struct ip6_hdr) + sizeof(struct udphdr) + p->entry->length);
	size_t ip_size = ends->v4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr), size = sizeof(struct udphdr) + p->entry->length;
	struct udphdr udp = { .len = htons(size) };
	struct sockaddr_in6 to6 = ends->to.in6;
	struct sockaddr_in to4 = ends->to.in;
	int on = 1;

	if (raw < 0 || (!ends->v4 && setsockopt(raw, SOL_IPV6, IPV6_HDRINCL, &on, sizeof(on)) < 0))
		return -1;
	udp.source = ends->v4 ? ends->from.in.sin_port : ends->from.in6.sin6_port;
	udp.dest = ends->v4 ? ends->to.in.sin_port : ends->to.in6.sin6_port;
	memcpy(packet + ip_size + sizeof(udp), p->data, p->entry->length);
	if (ends->v4) {
		struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .tot_len = htons(ip_size + size),
				    .saddr = ends->from.in.sin_addr.s_addr, .daddr = ends->to.in.sin_addr.s_addr };

		memcpy(packet, &ip, sizeof(ip));
		to4.sin_port = 0;
	} else {
		struct ip6_hdr ip = { .ip6_ctlun.ip6_un1 = { htonl(6u << 28), htons(size), IPPROTO_UDP, 64 },
				      .ip6_src = ends->from.in6.sin6_addr, .ip6_dst = ends->to.in6.sin6_addr };
		uint32_t total;

		/* IPv6 takes none without a checksum. */
		memcpy(packet, &ip, sizeof(ip));
		memcpy(packet + ip_size, &udp, sizeof(udp));
		total = sum(sum(IPPROTO_UDP + size, &ip.ip6_src, 2 * sizeof(ip.ip6_src)), packet + ip_size, size);
		udp.check = htons(~total ? ~total : 0xffff);
		to6.sin6_port = 0;
	}
	memcpy(packet + ip_size, &udp, sizeof(udp));
	return sendto(raw, packet, ip_size + size, 0, ends->v4 ? (void *)&to4 : (void *)&to6, ends->length) < 0 ? -1 : 0;
}

static int send_bound(const struct ends *ends, const struct sk_packet *p)
{
	auto_fd fd = socket(ends->v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, (void *)&ends->from, ends->length) < 0)
		return -1;
	return sendto(fd, p->data, p->entry->length, 0, (void *)&ends->to, ends->length) < 0 ? -1 : 0;
}

static uint32_t queued_memory(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t n = sizeof(info);

	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &n) < 0 ? 0 : info[SK_MEMINFO_RMEM_ALLOC];
}

/* It goes through the loopback device, at once but for a busy machine. */
static bool arrived(int fd, uint32_t before)
{
	for (int i = 0; i < WAIT_MS * 5; i++) {
		if (queued_memory(fd) != before)
			return true;
		nanosleep(&(struct timespec){ 0, 200000 }, NULL);
	}
	return false;
}

static const char *show(const struct ends *ends)
{
	static char text[INET6_ADDRSTRLEN + 16];
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(ends->v4 ? AF_INET : AF_INET6, ends->v4 ? (void *)&ends->from.in.sin_addr : (void *)&ends->from.in6.sin6_addr, host, sizeof(host));
	snprintf(text, sizeof(text), ends->v4 ? "%s:%u" : "[%s]:%u", host, ntohs(ends->v4 ? ends->from.in.sin_port : ends->from.in6.sin6_port));
	return text;
}

int udp_queue_fill(const InetSkEntry *e, int fd)
{
	const struct queue *q = find_queue(e);

	for (const struct sk_packet *p = q ? q->first : NULL; p; p = p->next) {
		uint32_t before = queued_memory(fd);
		struct ends ends;

		if (p->entry->length > DATAGRAM_MAX || !find_ends(e, p, &ends))
			return err_set(EINVAL, "sk-queues.img: a datagram of %u bytes, from an address of %zu, to UDP socket %s", p->entry->length,
				       p->entry->pcr_from.len, inetsk_show(e, false));
		if ((send_raw(&ends, p) < 0 && send_bound(&ends, p) < 0) || !arrived(fd, before))
			pr_warn("UDP socket %s: a datagram of %u bytes from %s, received before the dump, cannot be sent once more and is missing",
				inetsk_show(e, false), p->entry->length, show(&ends));
	}
	return 0;
}
