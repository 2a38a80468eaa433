/* SPDX-License-Identifier: MIT
 *
 * Credentials of the calling thread, in the order in which each step still has the privilege it needs; capabilities(7).
 */
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <sys/syscall.h>

#include "sys.h"

#define CAP_LAST 63
#define SETTLING_BITS (SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP)

static void set_caps(struct restorer_args *args, struct restorer_thread *t, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ effective, permitted, inheritable },
		{ effective >> 32, permitted >> 32, inheritable >> 32 },
	};
	long e = sys2(SYS_capset, &header, data);

	if (e < 0)
		fail(args, t->tid, "cannot set its capabilities, permitted", permitted, e);
}

static uint64_t permitted_now(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	sys2(SYS_capget, &header, data);
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static void prctl_or_fail(struct restorer_args *args, struct restorer_thread *t, int option, uint64_t a, uint64_t b, const char *what)
{
	long e = sys5(SYS_prctl, option, a, b, 0, 0);

	if (e < 0)
		fail(args, t->tid, what, a, e);
}

void creds_restore(struct restorer_args *args, struct restorer_thread *t)
{
	const struct restorer_creds *c = &t->creds;
	long e;

	if (c->set_bounding) {
		for (int cap = 0; cap <= CAP_LAST; cap++) {
			if (c->keep_bounding >> cap & 1 || sys5(SYS_prctl, PR_CAPBSET_READ, cap, 0, 0, 0) != 1)
				continue;
			prctl_or_fail(args, t, PR_CAPBSET_DROP, cap, 0, "cannot drop from its bounding set capability");
		}
	}
	if (c->set_groups) {
		e = sys2(SYS_setgroups, c->group_count, c->groups);
		if (e < 0)
			fail(args, t->tid, "cannot set its supplementary groups", 0, e);
	}
	if (c->set_gids) {
		e = sys3(SYS_setresgid, c->ids[4], c->ids[5], c->ids[6]);
		if (e < 0)
			fail(args, t->tid, "cannot set its gid", c->ids[4], e);
		sys1(SYS_setfsgid, c->ids[7]);
		if (sys1(SYS_setfsgid, -1) != (int)c->ids[7])
			fail(args, t->tid, "cannot set its fsgid", c->ids[7], -1);
	}
	if (c->set_uids) {
		if (c->set_caps)
			prctl_or_fail(args, t, PR_SET_SECUREBITS, SETTLING_BITS, 0, "cannot set the securebits");
		e = sys3(SYS_setresuid, c->ids[0], c->ids[1], c->ids[2]);
		if (e < 0)
			fail(args, t->tid, "cannot set its uid", c->ids[0], e);
		sys1(SYS_setfsuid, c->ids[3]);
		if (sys1(SYS_setfsuid, -1) != (int)c->ids[3])
			fail(args, t->tid, "cannot set its fsuid", c->ids[3], -1);
	}
	if (c->set_caps) {
		uint64_t have = permitted_now();

		set_caps(args, t, have, have, c->inheritable);
		for (int cap = 0; cap <= CAP_LAST; cap++)
			if (c->ambient >> cap & 1)
				prctl_or_fail(args, t, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, "cannot raise its ambient capabilities");
	}
	if (c->set_securebits || (c->set_uids && c->set_caps))
		prctl_or_fail(args, t, PR_SET_SECUREBITS, c->securebits, 0, "cannot set its securebits");
	if (c->set_caps)
		set_caps(args, t, c->effective, c->permitted, c->inheritable);
	if (c->no_new_privs)
		prctl_or_fail(args, t, PR_SET_NO_NEW_PRIVS, 1, 0, "cannot set no_new_privs");
}
