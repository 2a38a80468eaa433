/* SPDX-License-Identifier: MIT */
#include "resource/tcp_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/util.h"
#include "resource/inetsk.h"
#include "resource/tcp_lock.h"

#define WAIT_MS 1000

/* All addresses as 16 bytes, IPv4 mapped into IPv6. */
static void normal(const InetSkEntry *e, bool peer, uint32_t out[4])
{
	const uint32_t *words = peer ? e->dst_addr : e->src_addr;

	if (e->family == AF_INET6) {
		memcpy(out, words, 16);
		return;
	}
	out[0] = out[1] = 0;
	out[2] = htonl(0xffff);
	out[3] = words[0];
}

bool tcp_is_other_end(const InetSkEntry *a, const InetSkEntry *b)
{
	uint32_t own[4], peer[4];

	if (a->src_port != b->dst_port || a->dst_port != b->src_port)
		return false;
	normal(a, false, own);
	normal(b, true, peer);
	if (memcmp(own, peer, sizeof(own)))
		return false;
	normal(a, true, own);
	normal(b, false, peer);
	return !memcmp(own, peer, sizeof(own));
}

static uint32_t sum(uint32_t so_far, const void *data, size_t size)
{
	const uint16_t *words = data;

	for (size_t i = 0; i < size / 2; i++)
		so_far += words[i];
	return so_far;
}

static uint16_t fold(uint32_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return ~value;
}

int tcp_packet_fin(const InetSkEntry *e, int fd, uint32_t seq, uint32_t ack)
{
	struct {
		union {
			struct iphdr v4;
			struct ip6_hdr v6;
		} ip;
		struct tcphdr tcp;
	} packet = { 0 };
	uint32_t own[4], peer[4], total;
	bool v4;
	char bytes[sizeof(packet)];
	size_t ip_size;
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	int mark = TCP_LOCK_MARK, on = 1;
	auto_fd raw = -1;
	ssize_t sent;

	normal(e, false, own);
	normal(e, true, peer);
	v4 = !own[0] && !own[1] && own[2] == htonl(0xffff);
	ip_size = v4 ? sizeof(packet.ip.v4) : sizeof(packet.ip.v6);
	packet.tcp.source = htons(e->dst_port);
	packet.tcp.dest = htons(e->src_port);
	packet.tcp.seq = htonl(seq);
	packet.tcp.ack_seq = htonl(ack);
	packet.tcp.doff = sizeof(packet.tcp) / 4;
	packet.tcp.fin = packet.tcp.ack = 1;
	packet.tcp.window = htons(0xffff);
	total = htons(IPPROTO_TCP) + htons(sizeof(packet.tcp));
	total = sum(sum(total, &own[v4 ? 3 : 0], v4 ? 4 : 16), &peer[v4 ? 3 : 0], v4 ? 4 : 16);
	packet.tcp.check = fold(sum(total, &packet.tcp, sizeof(packet.tcp)));
	if (v4) {
		packet.ip.v4 = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .saddr = peer[3], .daddr = own[3] };
		packet.ip.v4.tot_len = htons(ip_size + sizeof(packet.tcp));
		to4.sin_addr.s_addr = own[3];
	} else {
		packet.ip.v6.ip6_flow = htonl(6u << 28);
		packet.ip.v6.ip6_plen = htons(sizeof(packet.tcp));
		packet.ip.v6.ip6_nxt = IPPROTO_TCP;
		packet.ip.v6.ip6_hlim = 64;
		memcpy(&packet.ip.v6.ip6_src, peer, 16);
		memcpy(&packet.ip.v6.ip6_dst, own, 16);
		memcpy(&to6.sin6_addr, own, 16);
	}
	memcpy(bytes, &packet.ip, ip_size);
	memcpy(bytes + ip_size, &packet.tcp, sizeof(packet.tcp));
	raw = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (raw < 0 || setsockopt(raw, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0 ||
	    (!v4 && setsockopt(raw, SOL_IPV6, IPV6_HDRINCL, &on, sizeof(on)) < 0))
		return err_errno("a raw socket, by which a half-closed connection is made again, cannot be had");
	sent = sendto(raw, bytes, ip_size + sizeof(packet.tcp), 0, v4 ? (void *)&to4 : (void *)&to6, v4 ? sizeof(to4) : sizeof(to6));
	if (sent < 0)
		return err_errno("the end of the stream cannot be given to a half-closed connection");
	/* Through the loopback device: it comes in before long. */
	if (poll(&(struct pollfd){ .fd = fd, .events = POLLRDHUP }, 1, WAIT_MS) <= 0)
		return err_set(EIO, "a half-closed connection did not take the end of its stream");
	return 0;
}
