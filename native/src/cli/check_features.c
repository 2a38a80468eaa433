/* SPDX-License-Identifier: MIT */
#include "cli/check_features.h"

#include <errno.h>
#include <string.h>

#include "cli/check_needs.h"
#include "common/err.h"
#include "common/util.h"

#define EVERY_KERNEL "" /* on which pcr runs at all */
#define NAMESPACES "trees in namespaces of their own are not dumped"

/* Names as criu check --help lists them (CRIU 4) that are not those of needs, either, nor their aliases. */
static const struct {
	const char *name;
	const char *need; /* what it comes down to, by its name in needs; NULL: pcr does not do it */
	const char *why_not;
} features[] = {
	{ "mnt_id", EVERY_KERNEL, NULL },
	{ "fdinfo_lock", EVERY_KERNEL, NULL },
	{ "timerfd", EVERY_KERNEL, NULL },
	{ "aio_remap", EVERY_KERNEL, NULL },
	{ "kcmp_epoll", "kcmp", NULL },
	{ "openat2", EVERY_KERNEL, NULL },
	{ "ns_pid", EVERY_KERNEL, NULL },
	{ "sockopt_buf_lock", EVERY_KERNEL, NULL },
	{ "ipv6_freebind", EVERY_KERNEL, NULL },
	{ "can_map_vdso", EVERY_KERNEL, NULL },
	{ "memfd_hugetlb", EVERY_KERNEL, NULL },
	{ "overlayfs_maps", EVERY_KERNEL, NULL },
	{ "uffd", "uffd", NULL },
	{ "seccomp_filters", "seccomp_suspend", NULL },
	{ "sk_unix_file", "tcp_repair", NULL }, /* SIOCUNIXFILE takes CAP_NET_ADMIN, too */
	{ "has_ipt_legacy", "tcp_repair", NULL },
	{ "compat_cr", NULL, "32-bit processes are not dumped" },
	{ "tun", NULL, "tun and tap devices are not dumped" },
	{ "tun_ns", NULL, "tun and tap devices are not dumped" },
	{ "autofs", NULL, "autofs mounts are not dumped" },
	{ "nftables", NULL, "connections are locked with iptables" },
	{ "network_lock_nftables", NULL, "connections are locked with iptables" },
	{ "apparmor_stacking", NULL, "AppArmor profiles are not dumped" },
	{ "cgroupns", NULL, NAMESPACES },
	{ "sk_ns", NULL, NAMESPACES },
	{ "nsid", NULL, NAMESPACES },
	{ "link_nsid", NULL, NAMESPACES },
	{ "external_net_ns", NULL, NAMESPACES },
	{ "newifindex", NULL, NAMESPACES },
	{ "move_mount_set_group", NULL, NAMESPACES },
};

static int check_need(const struct need *need)
{
	if (need->there())
		return 0;
	return err_set(ENOTSUP, "%s is not there: it is for %s; %s", need->name, need->what, need->otherwise);
}

static const struct need *find_need(const char *name)
{
	for (size_t i = 0; i < need_count; i++)
		if (!strcmp(needs[i].name, name) || (needs[i].alias && !strcmp(needs[i].alias, name)))
			return &needs[i];
	return NULL;
}

static int list(FILE *out)
{
	for (size_t i = 0; i < need_count; i++)
		fprintf(out, "%s\n", needs[i].alias ? needs[i].alias : needs[i].name);
	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		fprintf(out, "%s\n", features[i].name);
	return 0;
}

static int look(const char *name)
{
	const struct need *need = find_need(name);

	if (need)
		return check_need(need);
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		if (strcmp(features[i].name, name))
			continue;
		if (!features[i].need)
			return err_set(ENOTSUP, "feature %s is not there: %s", name, features[i].why_not);
		need = find_need(features[i].need);
		return need ? check_need(need) : 0;
	}
	return err_set(EINVAL, "there is no feature '%s'; pcr check --feature list names those that are known", name);
}

int check_feature(FILE *out, const char *name)
{
	if (!strcmp(name, "list"))
		return list(out);
	if (look(name) < 0)
		return -1;
	fprintf(out, "%s is supported\n", name);
	return 0;
}
