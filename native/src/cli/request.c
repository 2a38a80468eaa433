/* SPDX-License-Identifier: MIT */
#include "cli/request.h"

#include <errno.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"

void unix_sk_ino_add(struct request *r, uint32_t inode)
{
	r->unix_sk_ino = xrealloc(r->unix_sk_ino, (r->unix_sk_ino_count + 1) * sizeof(*r->unix_sk_ino));
	r->unix_sk_ino[r->unix_sk_ino_count++] = inode;
}

bool request_ext_unix_sk(const struct request *r, uint32_t inode)
{
	char key[32];

	snprintf(key, sizeof(key), "unix[%u]", inode);
	for (size_t i = 0; i < r->unix_sk_ino_count; i++)
		if (r->unix_sk_ino[i] == inode)
			return true;
	for (size_t i = 0; i < r->external_count; i++)
		if (!strcmp(r->external[i], key))
			return true;
	return r->ext_unix_sk;
}

int cgroup_root_add(struct request *r, const char *controller, const char *path)
{
	if (path[0] != '/' || strstr(path, "/../") || (strlen(path) > 2 && !strcmp(path + strlen(path) - 3, "/..")))
		return err_set(EINVAL, "--cgroup-root takes [CONTROLLER:]/PATH, a path from the root of the hierarchy, not '%s'", path);
	r->cgroup_roots = xrealloc(r->cgroup_roots, (r->cgroup_root_count + 1) * sizeof(*r->cgroup_roots));
	r->cgroup_roots[r->cgroup_root_count++] = (struct cgroup_root){ controller && *controller ? xstrdup(controller) : NULL, xstrdup(path) };
	return 0;
}

void cgroup_controller_add(struct request *r, const char *controller)
{
	r->cgroup_controllers = xrealloc(r->cgroup_controllers, (r->cgroup_controller_count + 1) * sizeof(*r->cgroup_controllers));
	r->cgroup_controllers[r->cgroup_controller_count++] = xstrdup(controller);
}

int join_ns_add(struct request *r, const char *name, const char *file, const char *extra)
{
	static const char *const joinable[] = { "net", "uts", "ipc", "time" };
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(joinable); i++)
		known |= !strcmp(name, joinable[i]);
	if (!known)
		return err_set(ENOTSUP, "--join-ns %s: only namespaces of kind net, uts, ipc and time can be joined", name);
	if (extra && *extra)
		return err_set(EINVAL, "--join-ns %s: '%s' is for user namespaces", name, extra);
	if (!*file)
		return err_set(EINVAL, "--join-ns %s: a pid or the path of a namespace is missing", name);
	r->join_ns = xrealloc(r->join_ns, (r->join_ns_count + 1) * sizeof(*r->join_ns));
	r->join_ns[r->join_ns_count++] = (struct join_ns){ xstrdup(name), xstrdup(file) };
	return 0;
}

int join_ns_parse(struct request *r, const char *text)
{
	auto_free char *name = xstrdup(text);
	char *file = strchr(name, ':'), *extra;

	if (!file)
		return err_set(EINVAL, "--join-ns takes KIND:PID or KIND:PATH, not '%s'", text);
	*file++ = 0;
	extra = strchr(file, ',');
	if (extra)
		*extra++ = 0;
	return join_ns_add(r, name, file, extra);
}
