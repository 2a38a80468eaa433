/* SPDX-License-Identifier: MIT */
#include "resource/multicast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

#define SOURCES_MAX 4096

/* A group that somebody on this machine has joined. */
struct group {
	struct sockaddr_storage address;
	unsigned int index;
	char device[IF_NAMESIZE];
};
static struct group *groups;
static size_t group_count, group_room;
static bool groups_read;

/* --- addresses --- */

/* 4 or 16 bytes */
static void set_address(struct sockaddr_storage *to, const void *bytes, size_t size)
{
	memset(to, 0, sizeof(*to));
	to->ss_family = size == 4 ? AF_INET : AF_INET6;
	memcpy(size == 4 ? (void *)&((struct sockaddr_in *)to)->sin_addr : (void *)&((struct sockaddr_in6 *)to)->sin6_addr, bytes, size);
}

static ProtobufCBinaryData get_address(const struct sockaddr_storage *from)
{
	ProtobufCBinaryData to = { .len = from->ss_family == AF_INET ? 4 : 16 };

	to.data = xzalloc(to.len);
	memcpy(to.data,
	       from->ss_family == AF_INET ? (void *)&((struct sockaddr_in *)from)->sin_addr : (void *)&((struct sockaddr_in6 *)from)->sin6_addr, to.len);
	return to;
}

static int level_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? SOL_IP : SOL_IPV6;
}

/* --- dump --- */

static void add_group(unsigned int index, const char *device, const void *bytes, size_t size)
{
	struct group *g = array_push(&groups, &group_count, &group_room, sizeof(*g));

	set_address(&g->address, bytes, size);
	g->index = index;
	snprintf(g->device, sizeof(g->device), "%s", device);
}

/* A line for each device ("2 eth0 : 1 V3"), then one for each group, the address as a number of this processor's ("	010000E0 ..."). */
static int read_igmp(void)
{
	auto_file *f = fopen("/proc/net/igmp", "re");
	char line[256], device[IF_NAMESIZE] = "";
	unsigned int index = 0;
	uint32_t address;

	if (!f)
		return errno == ENOENT ? 0 : err_errno("/proc/net/igmp cannot be read");
	while (fgets(line, sizeof(line), f))
		if (line[0] != '\t')
			sscanf(line, "%u %15s", &index, device);
		else if (sscanf(line, "%x", &address) == 1)
			add_group(index, device, &address, sizeof(address));
	return 0;
}

/* "1 lo ff020000000000000000000000000001 1 0000000C 0" */
static int read_igmp6(void)
{
	auto_file *f = fopen("/proc/net/igmp6", "re");
	char line[256], device[IF_NAMESIZE], hex[33];
	unsigned char bytes[16];
	unsigned int index;

	if (!f)
		return errno == ENOENT ? 0 : err_errno("/proc/net/igmp6 cannot be read");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%u %15s %32[0-9a-f]", &index, device, hex) != 3 || strlen(hex) != 32)
			continue;
		for (int i = 0; i < 16; i++)
			sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
		add_group(index, device, bytes, sizeof(bytes));
	}
	return 0;
}

static void add_membership(InetSkEntry *e, const struct group *g, const struct group_filter *filter)
{
	PcrMembership *m = xzalloc(sizeof(*m));

	pcr_membership__init(m);
	m->device = xstrdup(g->device);
	m->group = get_address(&g->address);
	m->include = filter->gf_fmode == MCAST_INCLUDE;
	m->sources = xzalloc((filter->gf_numsrc + 1) * sizeof(*m->sources));
	for (; m->n_sources < filter->gf_numsrc; m->n_sources++)
		m->sources[m->n_sources] = get_address(&filter->gf_slist[m->n_sources]);
	e->pcr_memberships = xrealloc(e->pcr_memberships, (e->n_pcr_memberships + 1) * sizeof(m));
	e->pcr_memberships[e->n_pcr_memberships++] = m;
}

/* 1: a member; 0: none. Afterwards gf_numsrc is how many sources there are, of which as many were copied as there was room for. */
static int ask(int fd, const struct group *g, struct group_filter *filter, uint32_t room)
{
	socklen_t n = GROUP_FILTER_SIZE(room);

	memset(filter, 0, offsetof(struct group_filter, gf_slist));
	filter->gf_interface = g->index;
	filter->gf_group = g->address;
	filter->gf_numsrc = room;
	return getsockopt(fd, level_of(&g->address), MCAST_MSFILTER, filter, &n) == 0;
}

int multicast_dump(int fd, InetSkEntry *e, const char *what)
{
	if (!groups_read && (read_igmp() < 0 || read_igmp6() < 0))
		return -1;
	groups_read = true;
	for (size_t i = 0; i < group_count; i++) {
		uint32_t room = 1;
		auto_free struct group_filter *filter = xzalloc(GROUP_FILTER_SIZE(room));

		if ((e->family == AF_INET && groups[i].address.ss_family != AF_INET) || !ask(fd, &groups[i], filter, room))
			continue;
		if (filter->gf_numsrc > room) {
			room = filter->gf_numsrc;
			filter = xrealloc(filter, GROUP_FILTER_SIZE(room));
			if (!ask(fd, &groups[i], filter, room) || filter->gf_numsrc > room)
				return err_set(EAGAIN, "%s: the groups that it has joined change right now: dump again", what);
		}
		add_membership(e, &groups[i], filter);
	}
	return 0;
}

void multicast_forget(void)
{
	free(groups);
	groups = NULL;
	group_count = group_room = 0;
	groups_read = false;
}

/* --- restore --- */

int multicast_check(const InetSkEntry *e)
{
	for (size_t i = 0; i < e->n_pcr_memberships; i++) {
		const PcrMembership *m = e->pcr_memberships[i];

		if ((m->group.len != 4 && m->group.len != 16) || (m->group.len == 16 && e->family != AF_INET6) || m->n_sources > SOURCES_MAX)
			return err_set(EINVAL, "files.img: id %u has joined a group of %zu bytes with %zu sources", e->id, m->group.len, m->n_sources);
		for (size_t j = 0; j < m->n_sources; j++)
			if (m->sources[j].len != m->group.len)
				return err_set(EINVAL, "files.img: id %u has joined a group of sources of %zu bytes", e->id, m->sources[j].len);
	}
	return 0;
}

static int join(const PcrMembership *m, unsigned int index, int fd)
{
	struct group_req request = { .gr_interface = index };
	struct group_source_req source = { .gsr_interface = index };

	set_address(&request.gr_group, m->group.data, m->group.len);
	source.gsr_group = request.gr_group;
	if (!m->include && setsockopt(fd, level_of(&request.gr_group), MCAST_JOIN_GROUP, &request, sizeof(request)) < 0)
		return -1;
	for (size_t i = 0; i < m->n_sources; i++) {
		set_address(&source.gsr_source, m->sources[i].data, m->sources[i].len);
		if (setsockopt(fd, level_of(&request.gr_group), m->include ? MCAST_JOIN_SOURCE_GROUP : MCAST_BLOCK_SOURCE, &source, sizeof(source)) < 0)
			return -1;
	}
	return 0;
}

int multicast_restore(const InetSkEntry *e, int fd)
{
	for (size_t i = 0; i < e->n_pcr_memberships; i++) {
		const PcrMembership *m = e->pcr_memberships[i];
		unsigned int index = if_nametoindex(m->device);
		char text[INET6_ADDRSTRLEN] = "?";

		inet_ntop(m->group.len == 4 ? AF_INET : AF_INET6, m->group.data, text, sizeof(text));
		if (!index)
			pr_warn("an internet socket cannot join the multicast group %s again: there is no device %s", text, m->device);
		else if (join(m, index, fd) < 0)
			return err_errno("an internet socket cannot join the multicast group %s on %s again", text, m->device);
	}
	return 0;
}
