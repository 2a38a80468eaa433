/* SPDX-License-Identifier: MIT */
#include "resource/join_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

/* What we have left, one for each kind; a kind that is named twice keeps the first. */
static struct left {
	const char *name;
	int fd;
} left[4];

static int keep(const char *name)
{
	/* The time namespace of a process is its children's, and only single-threaded processes may change it. */
	auto_free char *own = xasprintf("/proc/self/ns/%s%s", name, strcmp(name, "time") ? "" : "_for_children");

	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		if (left[i].name && !strcmp(left[i].name, name))
			return 0;
		if (left[i].name)
			continue;
		left[i].fd = open(own, O_RDONLY | O_CLOEXEC);
		if (left[i].fd < 0)
			return err_errno("%s", own);
		left[i].name = name;
		return 0;
	}
	return err_set(EINVAL, "--join-ns: more namespaces than there are kinds");
}

static int enter(const struct join_ns *ns)
{
	bool is_pid = ns->file[strspn(ns->file, "0123456789")] == 0;
	auto_free char *path = is_pid ? xasprintf("/proc/%s/ns/%s", ns->file, ns->name) : xstrdup(ns->file);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno("--join-ns %s:%s", ns->name, ns->file);
	if (keep(ns->name) < 0)
		return -1;
	if (setns(fd, 0) < 0)
		return err_errno("--join-ns %s:%s: cannot enter", ns->name, ns->file);
	pr_info("entered %s namespace %s", ns->name, ns->file);
	return 0;
}

int join_ns_enter(const struct request *request)
{
	for (size_t i = 0; i < request->join_ns_count; i++)
		if (enter(&request->join_ns[i]) < 0) {
			join_ns_leave();
			return -1;
		}
	return 0;
}

void join_ns_leave(void)
{
	for (size_t i = 0; i < ARRAY_LEN(left) && left[i].name; i++) {
		if (setns(left[i].fd, 0) < 0)
			pr_warn("cannot return into the own %s namespace: %s", left[i].name, strerror(errno));
		close(left[i].fd);
		left[i].name = NULL;
	}
}
