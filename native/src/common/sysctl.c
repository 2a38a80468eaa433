/* SPDX-License-Identifier: MIT */
#include "common/sysctl.h"

#include "common/util.h"

long sysctl_number(const char *name)
{
	const char *root = getenv("PCR_SYSCTL_ROOT");
	auto_free char *path = xasprintf("%s/%s", root && *root ? root : "/proc/sys", name);
	auto_file *f = fopen(path, "re");
	long value;

	return f && fscanf(f, "%ld", &value) == 1 ? value : -1;
}
