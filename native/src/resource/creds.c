/* SPDX-License-Identifier: MIT */
#include "resource/creds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

static int parse_status(const char *status, CredsEntry *e)
{
	const char *uid = status_field(status, "Uid"), *gid = status_field(status, "Gid");
	const char *groups = status_field(status, "Groups"), *nnp = status_field(status, "NoNewPrivs");
	size_t room = 0;
	char *end;

	if (!uid || sscanf(uid, "%u %u %u %u", &e->uid, &e->euid, &e->suid, &e->fsuid) != 4 || !gid ||
	    sscanf(gid, "%u %u %u %u", &e->gid, &e->egid, &e->sgid, &e->fsgid) != 4 || !groups || !nnp)
		return -1;
	for (;;) {
		while (*groups == ' ' || *groups == '\t')
			groups++;
		if (*groups < '0' || *groups > '9')
			break;
		*(uint32_t *)array_push(&e->groups, &e->n_groups, &room, sizeof(*e->groups)) = strtoul(groups, &end, 10);
		groups = end;
	}
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
