/* SPDX-License-Identifier: MIT
 *
 * Credentials. Kinds, by argument: "nobody": four different user and group ids each, groups, ambient capabilities;
 * "caps": root with a part of the capabilities and of the bounding set; "securebits": root with securebits and
 * keepcaps; "plain": an ordinary user without any.
 */
#include "test.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/resource.h>

struct state {
	uid_t uid[4];
	gid_t gid[4];
	gid_t groups[64];
	int group_count;
	struct __user_cap_data_struct caps[2];
	uint64_t bounding, ambient;
	int securebits, keepcaps, dumpable;
	struct rlimit core;
};

static void caps_get(struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	check(syscall(SYS_capget, &head, data) == 0);
}

static void caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	int i;

	for (i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(effective >> 32 * i);
		data[i].permitted = (uint32_t)(permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
	}
	check(syscall(SYS_capset, &head, data) == 0);
}

static void collect(struct state *s)
{
	int i;

	memset(s, 0, sizeof *s);
	check(getresuid(&s->uid[0], &s->uid[1], &s->uid[2]) == 0);
	check(getresgid(&s->gid[0], &s->gid[1], &s->gid[2]) == 0);
	s->uid[3] = setfsuid(-1);
	s->gid[3] = setfsgid(-1);
	s->group_count = getgroups(64, s->groups);
	check(s->group_count >= 0);
	caps_get(s->caps);
	for (i = 0; i < 64; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			s->bounding |= 1ul << i;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			s->ambient |= 1ul << i;
	}
	s->securebits = prctl(PR_GET_SECUREBITS);
	s->keepcaps = prctl(PR_GET_KEEPCAPS);
	s->dumpable = prctl(PR_GET_DUMPABLE);
	check(getrlimit(RLIMIT_CORE, &s->core) == 0);
}

#define BIT(cap) (1ul << (cap))

int main(int argc, char **argv)
{
	static const gid_t groups[] = { 4, 20, 24, 27, 1000, 65533, 100000 };
	struct state before, after;
	struct rlimit core = { 0, 12345 };
	int cap;

	test_init(argc, argv);
	check(argc == 3);
	check(setrlimit(RLIMIT_CORE, &core) == 0);
	if (!strcmp(argv[2], "nobody")) {
		check(setgroups(7, groups) == 0);
		check(prctl(PR_SET_KEEPCAPS, 1) == 0);
		check(setresgid(1101, 1102, 1103) == 0);
		check(setresuid(1001, 1002, 1003) == 0);
		caps_set(BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETUID) | BIT(CAP_SETGID),
			 BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_CHOWN),
			 BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_KILL));
		setfsuid(1003);
		setfsgid(1103);
		check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) == 0);
		check(prctl(PR_SET_KEEPCAPS, 0) == 0);
	} else if (!strcmp(argv[2], "caps")) {
		check(prctl(PR_CAPBSET_DROP, CAP_MKNOD) == 0);
		check(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME) == 0);
		for (cap = 0; cap <= 1; cap++)
			caps_set(BIT(CAP_CHOWN), BIT(CAP_CHOWN) | BIT(CAP_FOWNER) | BIT(CAP_SETUID), BIT(CAP_FOWNER));
	} else if (!strcmp(argv[2], "securebits")) {
		check(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT |
						       SECBIT_NOROOT_LOCKED) == 0);
	} else {
		check(setgroups(0, NULL) == 0);
		check(setresgid(65534, 65534, 65534) == 0);
		check(setresuid(65534, 65534, 65534) == 0);
	}
	collect(&before);
	test_ready();
	test_wait();
	collect(&after);
	check(!memcmp(before.uid, after.uid, sizeof after.uid), "uid %d %d %d %d, was %d %d %d %d", after.uid[0],
	      after.uid[1], after.uid[2], after.uid[3], before.uid[0], before.uid[1], before.uid[2], before.uid[3]);
	check(!memcmp(before.gid, after.gid, sizeof after.gid), "gid %d %d %d %d, was %d %d %d %d", after.gid[0],
	      after.gid[1], after.gid[2], after.gid[3], before.gid[0], before.gid[1], before.gid[2], before.gid[3]);
	check(before.group_count == after.group_count && !memcmp(before.groups, after.groups, sizeof after.groups),
	      "%d groups, were %d", after.group_count, before.group_count);
	check(!memcmp(before.caps, after.caps, sizeof after.caps), "effective %x permitted %x inheritable %x, was %x %x %x",
	      after.caps[0].effective, after.caps[0].permitted, after.caps[0].inheritable, before.caps[0].effective,
	      before.caps[0].permitted, before.caps[0].inheritable);
	check(before.bounding == after.bounding, "bounding %lx, was %lx", after.bounding, before.bounding);
	check(before.ambient == after.ambient, "ambient %lx, was %lx", after.ambient, before.ambient);
	check(before.securebits == after.securebits, "securebits %x, was %x", after.securebits, before.securebits);
	check(before.keepcaps == after.keepcaps);
	check(before.dumpable == after.dumpable, "dumpable %d, was %d", after.dumpable, before.dumpable);
	check(!memcmp(&before.core, &after.core, sizeof after.core));
	test_pass();
}
