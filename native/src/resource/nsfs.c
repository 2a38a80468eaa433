/* SPDX-License-Identifier: MIT
 *
 * Descriptors of namespaces that the tree lives in. Trees with namespaces of their own are not dumped, so these are
 * pcr's as well; but for the time namespace, which a restore makes (clocks.h).
 */
#include "resource/nsfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stddef.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "images/core.pb-c.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

static const struct {
	const char *name;
	uint32_t flag; /* ns_file_entry.ns_cflag: clone(2) */
	size_t id; /* where TaskKobjIdsEntry has the number */
} kinds[] = {
	{ "pid", CLONE_NEWPID, offsetof(TaskKobjIdsEntry, pid_ns_id) },	     { "net", CLONE_NEWNET, offsetof(TaskKobjIdsEntry, net_ns_id) },
	{ "ipc", CLONE_NEWIPC, offsetof(TaskKobjIdsEntry, ipc_ns_id) },	     { "uts", CLONE_NEWUTS, offsetof(TaskKobjIdsEntry, uts_ns_id) },
	{ "mnt", CLONE_NEWNS, offsetof(TaskKobjIdsEntry, mnt_ns_id) },	     { "user", CLONE_NEWUSER, offsetof(TaskKobjIdsEntry, user_ns_id) },
	{ "cgroup", CLONE_NEWCGROUP, offsetof(TaskKobjIdsEntry, cgroup_ns_id) }, { "time", CLONE_NEWTIME, offsetof(TaskKobjIdsEntry, time_ns_id) },
};

static bool is_time(int kind)
{
	return kinds[kind].flag == CLONE_NEWTIME;
}

/* --- dump --- */

/* Index of the kind of "net:[4026531833]", or -1. */
static int kind_of(const char *link)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t n = strlen(kinds[i].name);

		if (!strncmp(link, kinds[i].name, n) && !strncmp(link + n, ":[", 2))
			return i;
	}
	return -1;
}

static bool nsfs_recognise(const struct fd_info *info)
{
	return kind_of(info->link) >= 0 && !(info->flags & O_PATH);
}

static int nsfs_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	int kind = kind_of(info->link);
	NsFileEntry *e = xzalloc(sizeof(*e));
	char name[32], ours[64];

	ns_file_entry__init(e);
	entry->nsf = e;
	snprintf(name, sizeof(name), "ns/%s", kinds[kind].name);
	if (proc_readlink(is_time(kind) ? info->task->live : getpid(), name, ours, sizeof(ours)) < 0 || strcmp(ours, info->link))
		return err_set(ENOTSUP, "pid %d: descriptor %d is %s, a namespace that the tree does not live in, which cannot be dumped",
			       info->task->pid, info->fd, info->link);
	e->id = entry->id;
	e->ns_id = is_time(kind) ? dump->time_ns_id : *(const uint32_t *)((const char *)&dump->namespaces + kinds[kind].id);
	e->ns_cflag = kinds[kind].flag;
	e->flags = info->flags;
	return 0;
}

/* --- restore --- */

static int nsfs_collect(struct restore *restore, FileEntry *entry)
{
	const NsFileEntry *e = entry->nsf;
	const TaskKobjIdsEntry *root = restore->inventory->root_ids;

	if (!e)
		return err_set(EINVAL, "files.img: id %u has no ns_file_entry", entry->id);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].flag != e->ns_cflag)
			continue;
		if (is_time(i) && restore->tasks[0].ids)
			root = restore->tasks[0].ids;
		if (root && *(const uint32_t *)((const char *)root + kinds[i].id) != e->ns_id)
			return err_set(ENOTSUP, "files.img: id %u is a %s namespace that the tree does not live in, which cannot be restored", entry->id,
				       kinds[i].name);
		return 0;
	}
	return err_set(EINVAL, "files.img: id %u is a namespace of kind 0x%x", entry->id, e->ns_cflag);
}

static int nsfs_open(struct restore *restore, FileEntry *entry)
{
	char path[64] = "";
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].flag == entry->nsf->ns_cflag)
			snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_errno("cannot open %s", path) : fd;
}

const struct fd_kind nsfs_kind = {
	.type = FD_TYPES__NS,
	.name = "namespace",
	.recognise = nsfs_recognise,
	.dump = nsfs_dump,
	.collect = nsfs_collect,
	.open = nsfs_open,
};
