/* SPDX-License-Identifier: MIT
 *
 * Sockets of other families, by argument: "netlink", "packet".
 */
#include "test.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

static char got[1 << 16];

static int number(int fd, int level, int option)
{
	int value = -12345;
	socklen_t n = sizeof value;

	check(!getsockopt(fd, level, option, &value, &n), "option %d of %d", option, level);
	return value;
}

static void set(int fd, int level, int option, int value)
{
	check(!setsockopt(fd, level, option, &value, sizeof value), "option %d of %d", option, level);
}

static struct sockaddr_nl name(int fd)
{
	struct sockaddr_nl nl;
	socklen_t n = sizeof nl;

	check(!getsockname(fd, (void *)&nl, &n));
	return nl;
}

/* Asks for all network devices: the loopback device is among them. */
static void ask(int fd)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} request = { .head = { sizeof request, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 5, 0 } };
	int found = 0;
	ssize_t n;

	check(send(fd, &request, sizeof request, 0) == sizeof request);
	for (;;) {
		n = recv(fd, got, sizeof got, 0);
		check(n > 0);
		for (struct nlmsghdr *h = (void *)got; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE) {
				check(found);
				return;
			}
			check(h->nlmsg_type == RTM_NEWLINK && h->nlmsg_seq == 5);
			found |= ((struct ifinfomsg *)NLMSG_DATA(h))->ifi_index == 1;
		}
	}
}

static void netlink(void)
{
	int fresh = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), asked = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
	int groups = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE), events = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT), words[8];
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK }, before[3];
	socklen_t n = sizeof words;

	fcntl(asked, F_SETFL, 0);
	ask(asked);
	check(!bind(groups, (void *)&nl, sizeof nl));
	set(groups, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, RTNLGRP_IPV4_IFADDR);
	set(groups, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 35);
	set(groups, SOL_NETLINK, NETLINK_PKTINFO, 1);
	set(groups, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	nl.nl_groups = 2;
	check(!bind(events, (void *)&nl, sizeof nl));
	before[0] = name(asked);
	before[1] = name(groups);
	before[2] = name(events);
	check(before[0].nl_pid && before[1].nl_pid);
	test_ready();
	test_wait();

	check(name(asked).nl_pid == before[0].nl_pid && name(groups).nl_pid == before[1].nl_pid && name(events).nl_pid == before[2].nl_pid);
	check(name(groups).nl_groups == before[1].nl_groups && name(events).nl_groups == 2, "%x", name(groups).nl_groups);
	memset(words, 0, sizeof words);
	check(!getsockopt(groups, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, words, &n) && words[1] == 1 << (35 - 33), "%x %x", words[0], words[1]);
	check(number(groups, SOL_NETLINK, NETLINK_PKTINFO) == 1 && number(groups, SOL_NETLINK, NETLINK_EXT_ACK) == 1 &&
	      number(asked, SOL_NETLINK, NETLINK_EXT_ACK) == 0);
	check(number(events, SOL_SOCKET, SO_PROTOCOL) == NETLINK_KOBJECT_UEVENT);
	check(name(fresh).nl_pid == 0);
	ask(asked);
	ask(fresh);
}

static void packet(void)
{
	int raw = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), cooked = socket(AF_PACKET, SOCK_DGRAM, 0), fan = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6), .sll_ifindex = if_nametoindex("lo") }, now;
	struct packet_mreq mreq = { .mr_ifindex = if_nametoindex("lo"), .mr_type = PACKET_MR_PROMISC };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback, .sin6_port = htons(9) };
	struct sockaddr_in own = { .sin_family = AF_INET };
	int u = socket(AF_INET6, SOCK_DGRAM, 0), fanout;
	socklen_t n = sizeof now;
	ssize_t r;

	check(raw >= 0 && cooked >= 0 && fan >= 0);
	check(!bind(cooked, (void *)&ll, sizeof ll));
	check(!setsockopt(cooked, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof mreq));
	set(raw, SOL_PACKET, PACKET_AUXDATA, 1);
	set(raw, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
	set(raw, SOL_PACKET, PACKET_RESERVE, 16);
	set(raw, SOL_SOCKET, SO_RCVBUF, 4096);
	ll.sll_protocol = htons(ETH_P_ARP);
	check(!bind(fan, (void *)&ll, sizeof ll));
	set(fan, SOL_PACKET, PACKET_FANOUT, (getpid() & 0xffff) | PACKET_FANOUT_LB << 16);
	fanout = number(fan, SOL_PACKET, PACKET_FANOUT);
	(void)own;
	test_ready();
	test_wait();

	check(!getsockname(cooked, (void *)&now, &n) && now.sll_protocol == htons(ETH_P_IPV6) && now.sll_ifindex == ll.sll_ifindex);
	n = sizeof now;
	check(!getsockname(raw, (void *)&now, &n) && now.sll_protocol == htons(ETH_P_ALL) && now.sll_ifindex == 0);
	check(number(raw, SOL_PACKET, PACKET_AUXDATA) == 1 && number(cooked, SOL_PACKET, PACKET_AUXDATA) == 0);
	check(number(raw, SOL_PACKET, PACKET_VERSION) == TPACKET_V2 && number(raw, SOL_PACKET, PACKET_RESERVE) == 16);
	check(number(fan, SOL_PACKET, PACKET_FANOUT) == fanout, "%x was %x", number(fan, SOL_PACKET, PACKET_FANOUT), fanout);
	/* the membership is there to be given up */
	check(!setsockopt(cooked, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &mreq, sizeof mreq));
	/* others may use the device too: look for what is ours */
	check(sendto(u, "captured by its own", 19, 0, (void *)&to, sizeof to) == 19);
	do {
		n = sizeof now;
		r = recvfrom(cooked, got, sizeof got, 0, (void *)&now, &n);
		check(r > 0 && now.sll_protocol == htons(ETH_P_IPV6));
	} while (r != 40 + 8 + 19 || memcmp(got + 48, "captured by its own", 19));
}

int main(int argc, char **argv)
{
	test_init(argc, argv);
	check(argc == 3);
	if (!strcmp(argv[2], "netlink"))
		netlink();
	else
		packet();
	test_pass();
}
