/* SPDX-License-Identifier: MIT */
#include "resource/creds.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/util.h"
#include "tree/task.h"

/* --- dump --- */

/* A capability set as two 32-bit numbers, low first. */
static int dump_caps(const char *status, const char *field, uint32_t **out, size_t *count)
{
	const char *value = status_field(status, field);
	unsigned long long caps;

	if (!value)
		return -1;
	caps = strtoull(value, NULL, 16);
	*out = xzalloc(2 * sizeof(**out));
	(*out)[0] = caps;
	(*out)[1] = caps >> 32;
	*count = 2;
	return 0;
}

/* "1 2 3" as group numbers. */
static uint32_t *parse_groups(const char *text, size_t *count)
{
	uint32_t *groups = NULL;
	size_t room = 0;
	char *end;

	*count = 0;
	for (;;) {
		while (*text == ' ' || *text == '\t')
			text++;
		if (*text < '0' || *text > '9')
			return groups;
		*(uint32_t *)array_push(&groups, count, &room, sizeof(*groups)) = strtoul(text, &end, 10);
		text = end;
	}
}

/* Of a tree in a namespace that cannot change its groups, user_namespaces(7): the same for all. */
static uint32_t *outside_groups;
static size_t outside_group_count;

void creds_dump_from_outside(pid_t pid)
{
	auto_free char *status = proc_read(pid, "status", NULL);
	const char *groups = status ? status_field(status, "Groups") : NULL;

	if (groups)
		outside_groups = parse_groups(groups, &outside_group_count);
}

static int parse_status(const char *status, CredsEntry *e)
{
	const char *uid = status_field(status, "Uid"), *gid = status_field(status, "Gid");
	const char *groups = status_field(status, "Groups"), *nnp = status_field(status, "NoNewPrivs");

	if (!uid || sscanf(uid, "%u %u %u %u", &e->uid, &e->euid, &e->suid, &e->fsuid) != 4 || !gid ||
	    sscanf(gid, "%u %u %u %u", &e->gid, &e->egid, &e->sgid, &e->fsgid) != 4 || !groups || !nnp)
		return -1;
	e->groups = parse_groups(groups, &e->n_groups);
	if (e->n_groups == outside_group_count)
		memcpy(e->groups, outside_groups, outside_group_count * sizeof(*e->groups));
	e->has_no_new_privs = true;
	e->no_new_privs = atoi(nnp);
	if (!e->no_new_privs)
		e->has_no_new_privs = false;
	return dump_caps(status, "CapInh", &e->cap_inh, &e->n_cap_inh) || dump_caps(status, "CapPrm", &e->cap_prm, &e->n_cap_prm) ||
	       dump_caps(status, "CapEff", &e->cap_eff, &e->n_cap_eff) || dump_caps(status, "CapBnd", &e->cap_bnd, &e->n_cap_bnd) ||
	       dump_caps(status, "CapAmb", &e->cap_amb, &e->n_cap_amb);
}

CredsEntry *creds_dump(const struct thread *thread, const char *status)
{
	CredsEntry *e = xzalloc(sizeof(*e));

	creds_entry__init(e);
	e->secbits = thread->inside.securebits;
	if (parse_status(status, e)) {
		creds_entry__free_unpacked(e, NULL);
		err_set(EIO, "thread %d: /proc does not show its credentials", thread->tid);
		return NULL;
	}
	return e;
}

/* --- restore --- */

/* Our own, before anything is changed; read once. */
static struct own {
	bool known;
	uid_t ids[8]; /* as restorer_creds.ids */
	gid_t *groups;
	int group_count;
	uint64_t permitted, inheritable, effective, bounding, ambient;
	uint32_t securebits;
} own;

static uint64_t set_of_prctl(int option, int sub)
{
	uint64_t set = 0;

	for (int cap = 0; cap < 64; cap++)
		if ((sub ? prctl(option, sub, cap, 0, 0) : prctl(option, cap, 0, 0, 0)) == 1)
			set |= 1ULL << cap;
	return set;
}

static void read_caps(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	syscall(SYS_capget, &header, data);
	own.effective = data[0].effective | (uint64_t)data[1].effective << 32;
	own.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	own.inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	own.bounding = set_of_prctl(PR_CAPBSET_READ, 0);
	own.ambient = set_of_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET);
	own.securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
}

static void read_own(void)
{
	if (own.known)
		return;
	own.known = true;
	getresuid(&own.ids[0], &own.ids[1], &own.ids[2]);
	own.ids[3] = setfsuid(-1);
	getresgid(&own.ids[4], &own.ids[5], &own.ids[6]);
	own.ids[7] = setfsgid(-1);
	own.group_count = getgroups(0, NULL);
	if (own.group_count > 0) {
		own.groups = xzalloc(own.group_count * sizeof(*own.groups));
		own.group_count = getgroups(own.group_count, own.groups);
	}
	read_caps();
}

void creds_in_namespace(void)
{
	read_own();
	read_caps();
}

bool creds_may_enter(void)
{
	read_own();
	return own.effective >> CAP_SYS_ADMIN & 1;
}

static uint64_t lent;

void creds_lend(uint64_t capabilities)
{
	lent = capabilities;
}

static uint64_t cap_set(size_t n, const uint32_t *words)
{
	return (n > 0 ? words[0] : 0) | (n > 1 ? (uint64_t)words[1] << 32 : 0);
}

int creds_check(pid_t pid, pid_t tid, const CredsEntry *e)
{
	uint64_t lacking;

	if (!e)
		return lent ? err_set(EPERM, "core-%d.img: no credentials in it, and pcr's own are not to be had", tid) : 0;
	read_own();
	if (e->n_cap_inh > 2 || e->n_cap_prm > 2 || e->n_cap_eff > 2 || e->n_cap_bnd > 2 || e->n_cap_amb > 2)
		return err_set(EINVAL, "core-%d.img: a capability set of more than 64 bits", tid);
	if (e->n_groups > NGROUPS_MAX)
		return err_set(EINVAL, "core-%d.img: %zu supplementary groups; there can be %d", tid, e->n_groups, NGROUPS_MAX);
	lacking = cap_set(e->n_cap_prm, e->cap_prm) & ~(own.permitted & ~lent);
	if (lacking)
		return err_set(EPERM, "pid %d: thread %d had capabilities that pcr lacks here (mask 0x%" PRIx64 "); run pcr with them", pid, tid,
			       lacking);
	lacking = cap_set(e->n_cap_eff, e->cap_eff) & ~cap_set(e->n_cap_prm, e->cap_prm);
	if (lacking)
		return err_set(EINVAL, "core-%d.img: effective capabilities that are not permitted (mask 0x%" PRIx64 ")", tid, lacking);
	if ((e->lsm_profile && *e->lsm_profile) || (e->lsm_sockcreate && *e->lsm_sockcreate))
		return err_set(ENOTSUP, "pid %d: thread %d had the security label \"%.200s\"; labels cannot be restored yet", pid, tid,
			       e->lsm_profile ? e->lsm_profile : e->lsm_sockcreate);
	return 0;
}

static bool same_groups(const CredsEntry *e)
{
	return (int)e->n_groups == own.group_count && (!e->n_groups || !memcmp(e->groups, own.groups, e->n_groups * sizeof(*e->groups)));
}

int creds_foresee(pid_t pid, pid_t tid, const CredsEntry *e, bool outside)
{
	uint32_t uids[] = { e ? e->uid : 0, e ? e->euid : 0, e ? e->suid : 0, e ? e->fsuid : 0 };
	uint32_t gids[] = { e ? e->gid : 0, e ? e->egid : 0, e ? e->sgid : 0, e ? e->fsgid : 0 };

	if (!e)
		return 0;
	read_own();
	for (int i = 0; i < 4; i++) {
		/* A namespace without privilege knows one uid and one gid. */
		if (uids[i] != own.ids[i] && !(outside && own.effective >> CAP_SETUID & 1))
			return err_set(EPERM, "pid %d: thread %d belonged to uid %u: only that user, root, or CAP_SETUID can restore it", pid, tid, uids[i]);
		if (gids[i] != own.ids[4 + i] && !(outside && own.effective >> CAP_SETGID & 1))
			return err_set(EPERM, "pid %d: thread %d belonged to gid %u: restore it as a user of that group (newgrp, setpriv --regid), or give pcr "
				       "CAP_SETGID", pid, tid, gids[i]);
	}
	if (!same_groups(e) && !(outside && own.effective >> CAP_SETGID & 1))
		return err_set(EPERM, "pid %d: thread %d had other supplementary groups than pcr has here: log in again so that they agree, or give pcr "
			       "CAP_SETGID", pid, tid);
	return 0;
}

void creds_fill(struct restorer_creds *c, const CredsEntry *e, uint32_t *groups)
{
	if (!e)
		return;
	read_own();
	c->ids[0] = e->uid;
	c->ids[1] = e->euid;
	c->ids[2] = e->suid;
	c->ids[3] = e->fsuid;
	c->ids[4] = e->gid;
	c->ids[5] = e->egid;
	c->ids[6] = e->sgid;
	c->ids[7] = e->fsgid;
	c->set_uids = memcmp(c->ids, own.ids, 4 * sizeof(uint32_t)) != 0;
	c->set_gids = memcmp(c->ids + 4, own.ids + 4, 4 * sizeof(uint32_t)) != 0;
	c->inheritable = cap_set(e->n_cap_inh, e->cap_inh);
	c->permitted = cap_set(e->n_cap_prm, e->cap_prm);
	c->effective = cap_set(e->n_cap_eff, e->cap_eff);
	c->ambient = cap_set(e->n_cap_amb, e->cap_amb);
	/* Without the set in the image (it is optional there) nothing is dropped. */
	c->keep_bounding = e->n_cap_bnd ? cap_set(e->n_cap_bnd, e->cap_bnd) : own.bounding;
	c->set_bounding = (own.bounding & ~c->keep_bounding) != 0;
	c->set_caps = c->set_uids || c->inheritable != own.inheritable || c->permitted != own.permitted || c->effective != own.effective ||
		      c->ambient != own.ambient;
	c->securebits = e->secbits;
	c->set_securebits = e->secbits != own.securebits;
	c->no_new_privs = e->has_no_new_privs && e->no_new_privs;
	c->set_groups = !same_groups(e);
	c->group_count = e->n_groups;
	c->groups = (uint64_t)groups;
	if (e->n_groups)
		memcpy(groups, e->groups, e->n_groups * sizeof(*groups));
}
