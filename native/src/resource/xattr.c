/* SPDX-License-Identifier: MIT */
#include "resource/xattr.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/xattr.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

static int dump_one(const char *access, const char *name, GhostFileEntry *e, const char *what)
{
	auto_free char *value = xzalloc(XATTR_SIZE_MAX);
	ssize_t n = getxattr(access, name, value, XATTR_SIZE_MAX);
	PcrXattr *x;

	if (n < 0 && (errno == ENODATA || errno == ENOTSUP || errno == EPERM))
		return 0;
	if (n < 0)
		return err_errno("%s: its extended attribute %s cannot be read", what, name);
	x = xzalloc(sizeof(*x));
	pcr_xattr__init(x);
	x->name = xstrdup(name);
	x->value.len = n;
	x->value.data = xzalloc(n + 1);
	memcpy(x->value.data, value, n);
	e->pcr_xattrs = xrealloc(e->pcr_xattrs, (e->n_pcr_xattrs + 1) * sizeof(x));
	e->pcr_xattrs[e->n_pcr_xattrs++] = x;
	return 0;
}

int xattrs_dump(const char *access, GhostFileEntry *e, const char *what)
{
	auto_free char *names = xzalloc(XATTR_LIST_MAX + 1);
	ssize_t n = listxattr(access, names, XATTR_LIST_MAX);

	if (n < 0)
		return errno == ENOTSUP || errno == EPERM ? 0 : err_errno("%s: its extended attributes cannot be listed", what);
	for (const char *name = names; name < names + n; name += strlen(name) + 1)
		if (dump_one(access, name, e, what) < 0)
			return -1;
	return 0;
}

void xattrs_restore(const GhostFileEntry *e, const char *path)
{
	bool descriptor = !strncmp(path, "/proc/self/fd/", 14);

	for (size_t i = 0; i < e->n_pcr_xattrs; i++) {
		const PcrXattr *x = e->pcr_xattrs[i];

		if ((descriptor ? setxattr : lsetxattr)(path, x->name, x->value.data, x->value.len, 0) < 0)
			pr_warn("%s: cannot give it the extended attribute %s that it had: %s", path, x->name, strerror(errno));
	}
}
