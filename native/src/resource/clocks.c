/* SPDX-License-Identifier: MIT */
#include "resource/clocks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "common/capability.h"
#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define NSEC 1000000000LL
/* KTIME_SEC_MAX / 2, what the kernel takes at most: include/linux/ktime.h, kernel/time/namespace.c */
#define MOST_SECONDS (INT64_MAX / NSEC / 2)
/* The clocks are this machine's (timens-0.img), or those of the root's own namespace. */
#define OWN_TIMENS 0
/* Behind the numbers of namespace_ids_of_self(). */
#define OTHER_TIME_NS 9

enum { MONOTONIC, BOOTTIME, CLOCKS };
static const clockid_t ids[CLOCKS] = { CLOCK_MONOTONIC, CLOCK_BOOTTIME };
static const char *const names[CLOCKS] = { "monotonic", "boottime" };

static int64_t ns_of(clockid_t clock)
{
	struct timespec t = { 0, 0 };

	clock_gettime(clock, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

/* What the namespace of a process's children adds to the machine's clocks, in nanoseconds; zeros on kernels without. */
static int read_offsets(pid_t pid, int64_t offsets[CLOCKS])
{
	auto_free char *text = proc_read(pid, "timens_offsets", NULL);

	memset(offsets, 0, CLOCKS * sizeof(*offsets));
	if (!text)
		return errno == ENOENT ? 0 : err_errno("pid %d: cannot read the offsets of its clocks", pid);
	for (int i = 0; i < CLOCKS; i++) {
		const char *line = strstr(text, names[i]);
		long long sec, nsec;

		if (!line || sscanf(line + strlen(names[i]), "%lld %lld", &sec, &nsec) != 2)
			return err_set(EIO, "pid %d: /proc shows offsets of clocks that are not understood: %.80s", pid, text);
		offsets[i] = sec * NSEC + nsec;
	}
	return 0;
}

/* --- dump --- */

int clocks_check(struct dump *dump, const struct task *task)
{
	char ours[64], theirs[64], childrens[64], roots[64];

	if (!dump->time_ns_id)
		dump->time_ns_id = dump->namespaces.time_ns_id;
	if (proc_readlink(getpid(), "ns/time", ours, sizeof(ours)) < 0)
		return 0; /* the kernel was built without it */
	if (proc_readlink(task->live, "ns/time", theirs, sizeof(theirs)) < 0 ||
	    proc_readlink(task->live, "ns/time_for_children", childrens, sizeof(childrens)) < 0 ||
	    proc_readlink(dump->tree.tasks[0]->live, "ns/time", roots, sizeof(roots)) < 0)
		return err_errno("pid %d: cannot see its time namespace", task->pid);
	if (strcmp(theirs, roots))
		return err_set(ENOTSUP, "pid %d lives in another time namespace (%s) than the root of the tree, which cannot be dumped", task->pid,
			       theirs);
	if (strcmp(theirs, childrens))
		return err_set(ENOTSUP, "pid %d has made a time namespace for its children (unshare(CLONE_NEWTIME)), which cannot be dumped",
			       task->pid);
	if (strcmp(theirs, ours))
		dump->time_ns_id = OTHER_TIME_NS;
	return 0;
}

int clocks_dump(struct dump *dump)
{
	bool own = dump->time_ns_id == dump->namespaces.time_ns_id;
	auto_img *img = NULL;
	Timespec clocks[CLOCKS] = { TIMESPEC__INIT, TIMESPEC__INIT };
	TimensEntry e = TIMENS_ENTRY__INIT;
	int64_t ours[CLOCKS], theirs[CLOCKS];

	if (read_offsets(getpid(), ours) < 0 || read_offsets(dump->tree.tasks[0]->live, theirs) < 0)
		return -1;
	for (int i = 0; i < CLOCKS; i++) {
		int64_t now = ns_of(ids[i]) + (own ? 0 : theirs[i] - ours[i]);

		clocks[i].tv_sec = now / NSEC;
		clocks[i].tv_nsec = now % NSEC;
	}
	e.monotonic = &clocks[MONOTONIC];
	e.boottime = &clocks[BOOTTIME];
	img = img_create(dump->dirfd, IMG_TIMENS, own ? OWN_TIMENS : dump->time_ns_id);
	return img ? img_write(img, &e.base) : -1;
}

/* --- restore --- */

int clocks_read(struct restore *restore)
{
	const TaskKobjIdsEntry *root = restore->tasks[0].ids, *own = restore->inventory->root_ids;
	bool other = root && own && root->has_time_ns_id && own->has_time_ns_id && root->time_ns_id != own->time_ns_id;
	auto_img *img = img_open(restore->dirfd, IMG_TIMENS, other ? root->time_ns_id : OWN_TIMENS, true);
	const TimensEntry *e;

	if (!img)
		return err_code() ? -1 : 0;
	if (img_read_one(img, &timens_entry__descriptor, &restore->clocks) < 0)
		return -1;
	e = restore->clocks;
	if (e->monotonic->tv_nsec >= NSEC || e->boottime->tv_nsec >= NSEC || e->monotonic->tv_sec >= MOST_SECONDS || e->boottime->tv_sec >= MOST_SECONDS)
		return err_set(EINVAL, "timens-%u.img: clocks that cannot be", other ? root->time_ns_id : OWN_TIMENS);
	return 0;
}

static bool joins_another(const struct request *request)
{
	for (size_t i = 0; i < request->join_ns_count; i++)
		if (!strcmp(request->join_ns[i].name, "time"))
			return true;
	return false;
}

static int not_allowed(int64_t wanted, const char *why)
{
	int64_t now = ns_of(CLOCK_MONOTONIC);

	pr_warn("no time namespace (%s): CLOCK_MONOTONIC of the restored processes jumps %s by %lld.%03lld s", why,
		now < wanted ? "back" : "forward", llabs(now - wanted) / NSEC, llabs(now - wanted) / (NSEC / 1000) % 1000);
	return 0;
}

int clocks_enter(const struct restore *restore)
{
	const TimensEntry *e = restore->clocks;
	int64_t wanted[CLOCKS], ours[CLOCKS];
	uint64_t before;
	auto_fd offsets = -1, space = -1;

	if (!e || joins_another(restore->request))
		return 0;
	wanted[MONOTONIC] = e->monotonic->tv_sec * NSEC + e->monotonic->tv_nsec;
	wanted[BOOTTIME] = e->boottime->tv_sec * NSEC + e->boottime->tv_nsec;
	/* Once a namespace is made and cannot be set, there is no way back out of one of a user namespace. */
	if (!has_capability(CAP_SYS_TIME) || !has_capability(CAP_SYS_ADMIN))
		return not_allowed(wanted[MONOTONIC], "it takes CAP_SYS_ADMIN and CAP_SYS_TIME");
	if (read_offsets(getpid(), ours) < 0)
		return -1;
	if (unshare(CLONE_NEWTIME) < 0)
		return not_allowed(wanted[MONOTONIC], strerror(errno));
	space = proc_open(getpid(), O_RDONLY | O_CLOEXEC, "ns/time_for_children");
	offsets = proc_open(getpid(), O_WRONLY | O_CLOEXEC, "timens_offsets");
	if (space < 0 || offsets < 0)
		return err_errno("a new time namespace: cannot open it");
	for (int i = 0; i < CLOCKS; i++) {
		int64_t add = wanted[i] - ns_of(ids[i]) + ours[i];
		/* Nanoseconds are never negative there. */
		int64_t sec = add / NSEC - (add % NSEC < 0), nsec = add - sec * NSEC;
		auto_free char *line = xasprintf("%s %" PRId64 " %" PRId64 "\n", names[i], sec, nsec);

		if (write_all(offsets, line, strlen(line)) < 0)
			return err_errno("a new time namespace: cannot set the clock %s to %lld s", names[i], wanted[i] / NSEC);
		pr_debug("clock %s: %" PRId64 " %" PRId64, names[i], sec, nsec);
	}
	before = now_us();
	if (setns(space, CLONE_NEWTIME) < 0)
		return err_errno("cannot enter a new time namespace");
	now_us_moved(before - now_us());
	return 0;
}
