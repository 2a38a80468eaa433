/* SPDX-License-Identifier: MIT */
#include "resource/cgroup_dirs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"

#define DEPTH_MAX 16
#define DIRS_MAX 4096
#define VALUE_MAX 65536
#define UNMAKE_TRIES 200

/* --- where they are --- */

/* One name of a list with commas in a mount's options. */
static bool has_option(const char *options, const char *name)
{
	auto_free char *list = xstrdup(options);
	char *save = NULL;

	for (char *o = strtok_r(list, ",", &save); o; o = strtok_r(NULL, ",", &save))
		if (!strcmp(o, name))
			return true;
	return false;
}

static bool find_in_yard(const char *yard, const char *controllers, char *path, size_t size)
{
	const char *name = !*controllers ? "unified" : !strncmp(controllers, "name=", 5) ? controllers + 5 : controllers;

	/* Version 2 alone may be the yard itself. */
	snprintf(path, size, "%s/cgroup.controllers", yard);
	if (!*controllers && access(path, F_OK) == 0) {
		snprintf(path, size, "%s", yard);
		return true;
	}
	snprintf(path, size, "%s/%s", yard, name);
	return access(path, F_OK) == 0;
}

bool cgroup_find_mount(const struct request *request, const char *controllers, char *path, size_t size)
{
	auto_file *f = NULL;
	auto_free char *first = xstrdup(controllers);
	char line[4096], point[2048], type[64], options[1024];

	if (request->cgroup_yard)
		return find_in_yard(request->cgroup_yard, controllers, path, size);
	f = fopen("/proc/self/mountinfo", "re");
	/* One of them is enough: a controller is in one hierarchy. */
	first[strcspn(first, ",")] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		const char *rest = strstr(line, " - ");

		if (sscanf(line, "%*s %*s %*s %*s %2047s", point) != 1 || !rest || sscanf(rest, " - %63s %*s %1023s", type, options) != 2)
			continue;
		if (*controllers ? strcmp(type, "cgroup") || !has_option(options, first) : strcmp(type, "cgroup2") != 0)
			continue;
		snprintf(path, size, "%s", point);
		return true;
	}
	return false;
}

/* --- dump --- */

/* Of every directory of version 1, with an empty value those that are kept for their permissions only. */
static const char *const version_1[] = { "cgroup.clone_children", "notify_on_release", "cgroup.procs", "tasks", NULL };
static const char *const version_2[] = {
	"cgroup.subtree_control", "cgroup.max.descendants", "cgroup.max.depth", "cgroup.freeze", "cgroup.type", "cpu.max", "cpu.weight", "cpu.idle",
	"memory.min", "memory.low", "memory.high", "memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "io.weight", "cpuset.cpus",
	"cpuset.mems", NULL,
};
static const struct {
	const char *controller;
	const char *names[12];
} by_controller[] = {
	{ "cpu", { "cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.rt_period_us", "cpu.rt_runtime_us" } },
	{ "cpuset", { "cpuset.cpus", "cpuset.mems", "cpuset.memory_migrate", "cpuset.cpu_exclusive", "cpuset.mem_exclusive", "cpuset.mem_hardwall",
		      "cpuset.memory_spread_page", "cpuset.memory_spread_slab", "cpuset.sched_load_balance", "cpuset.sched_relax_domain_level" } },
	{ "memory", { "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.swappiness", "memory.soft_limit_in_bytes",
		      "memory.move_charge_at_immigrate", "memory.oom_control", "memory.use_hierarchy", "memory.kmem.limit_in_bytes",
		      "memory.kmem.tcp.limit_in_bytes" } },
	{ "blkio", { "blkio.weight", "blkio.bfq.weight" } },
	{ "devices", { "devices.list" } },
	{ "pids", { "pids.max" } },
	{ "net_cls", { "net_cls.classid" } },
	{ "net_prio", { "net_prio.ifpriomap" } },
};

static CgroupPerms *permissions(int dirfd, const char *name)
{
	CgroupPerms *p;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	p = xzalloc(sizeof(*p));
	cgroup_perms__init(p);
	p->mode = st.st_mode;
	p->uid = st.st_uid;
	p->gid = st.st_gid;
	return p;
}

/* The value that may be written back; NULL when the file is not there or cannot be read. */
static char *read_value(int dirfd, const char *name)
{
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = xzalloc(VALUE_MAX);
	ssize_t n = fd < 0 ? -1 : read(fd, text, VALUE_MAX - 1);
	unsigned int number;

	if (n < 0) {
		free(text);
		return NULL;
	}
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = 0;
	if (sscanf(text, "oom_kill_disable %u", &number) == 1)
		snprintf(text, VALUE_MAX, "%u", number);
	return text;
}

static void dump_properties(CgroupDirEntry *d, int dirfd, const char *const *names, size_t *room)
{
	for (; *names; names++) {
		bool members = !strcmp(*names, "tasks") || !strcmp(*names, "cgroup.procs");
		char *value = members ? xstrdup("") : read_value(dirfd, *names);
		CgroupPropEntry *e;

		if (!value)
			continue;
		e = xzalloc(sizeof(*e));
		cgroup_prop_entry__init(e);
		e->name = xstrdup(*names);
		e->value = value;
		e->perms = permissions(dirfd, *names);
		*(CgroupPropEntry **)array_push(&d->properties, &d->n_properties, room, sizeof(e)) = e;
	}
}

static void fill(CgroupDirEntry *d, int dirfd, const char *controllers, int depth)
{
	auto_free char *list = xstrdup(controllers);
	char *save = NULL;
	size_t room = 0, rooms = 0;
	struct dirent *entry;
	DIR *dir;

	d->dir_perms = permissions(dirfd, ".");
	for (char *c = strtok_r(list, ",", &save); c; c = strtok_r(NULL, ",", &save))
		for (size_t i = 0; i < ARRAY_LEN(by_controller); i++)
			if (!strcmp(by_controller[i].controller, c))
				dump_properties(d, dirfd, by_controller[i].names, &room);
	dump_properties(d, dirfd, *controllers ? version_1 : version_2, &room);
	dir = depth < DEPTH_MAX ? fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) : NULL;
	while (dir && (entry = readdir(dir))) {
		auto_fd fd = entry->d_type == DT_DIR && entry->d_name[0] != '.' ?
				     openat(dirfd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
		CgroupDirEntry *child;

		if (fd < 0 || d->n_children >= DIRS_MAX)
			continue;
		child = xzalloc(sizeof(*child));
		cgroup_dir_entry__init(child);
		child->dir_name = xstrdup(entry->d_name);
		fill(child, fd, controllers, depth + 1);
		*(CgroupDirEntry **)array_push(&d->children, &d->n_children, &rooms, sizeof(child)) = child;
	}
	if (dir)
		closedir(dir);
}

CgroupDirEntry *cgroup_dir_dump(const struct request *request, const char *controllers, const char *path, bool own)
{
	CgroupDirEntry *d = xzalloc(sizeof(*d));
	char mount[2048];

	cgroup_dir_entry__init(d);
	d->dir_name = xstrdup(path);
	/* The root is the machine's, and always there. */
	if (own && *path && cgroup_find_mount(request, controllers, mount, sizeof(mount))) {
		auto_free char *full = xasprintf("%s/%s", mount, path);
		auto_fd fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

		if (fd >= 0)
			fill(d, fd, controllers, 0);
	}
	return d;
}

/* --- restore --- */

static struct made {
	char *path;
	const CgroupDirEntry *entry; /* NULL: a directory above those of the image */
	bool new;
} *dirs;
static size_t dir_count, dir_room;
static char *(*place_of)(const char *controllers, const char *path);

/* In mode soft a tree comes back without what cannot be had. */
static int complain(const struct request *request)
{
	if (request->cgroup_mode != CGROUPS_SOFT)
		return -1;
	pr_warn("%s", err_text());
	err_clear();
	return 0;
}

static struct made *note(const char *path, const CgroupDirEntry *entry, bool new)
{
	struct made *m = array_push(&dirs, &dir_count, &dir_room, sizeof(*dirs));

	*m = (struct made){ xstrdup(path), entry, new };
	return m;
}

static int write_property(const char *path, const char *name, const char *value)
{
	auto_free char *file = xasprintf("%s/%s", path, name);
	auto_fd fd = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		return err_errno("control group property %s: cannot write \"%.60s\"", file, value);
	return 0;
}

/* One write for each word or line, with a prefix. */
static int write_each(const char *path, const char *name, const char *value, const char *separators, const char *prefix)
{
	auto_free char *list = xstrdup(value);
	char *save = NULL;

	for (char *word = strtok_r(list, separators, &save); word; word = strtok_r(NULL, separators, &save)) {
		auto_free char *text = xasprintf("%s%s", prefix, word);

		if (write_property(path, name, text) < 0)
			return -1;
	}
	return 0;
}

static int set_property(const char *path, const CgroupPropEntry *p)
{
	auto_fd fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	auto_free char *now = fd < 0 ? NULL : read_value(fd, p->name);

	if (!*p->value || (now && !strcmp(now, p->value)) || !strcmp(p->name, "cgroup.procs") || !strcmp(p->name, "tasks"))
		return 0;
	if (!strcmp(p->name, "cgroup.subtree_control"))
		return write_each(path, p->name, p->value, " ", "+");
	if (!strcmp(p->name, "devices.list"))
		return write_property(path, "devices.deny", "a") < 0 || write_each(path, "devices.allow", p->value, "\n", "") < 0 ? -1 : 0;
	return write_property(path, p->name, p->value);
}

/* Without these a directory takes no tasks, or may have no threads or children of its kind. */
static bool is_needed_first(const CgroupPropEntry *p)
{
	static const char *const first[] = { "cpuset.cpus", "cpuset.mems", "cgroup.clone_children" };

	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		if (!strcmp(p->name, first[i]))
			return true;
	return !strcmp(p->name, "cgroup.type") && !strcmp(p->value, "threaded");
}

static void set_permissions(const char *path, const CgroupPerms *p)
{
	struct stat st;

	if (!p || lstat(path, &st) < 0 || S_ISLNK(st.st_mode))
		return;
	if (((st.st_uid != p->uid || st.st_gid != p->gid) && lchown(path, p->uid, p->gid) < 0) ||
	    ((st.st_mode ^ p->mode) & 07777 && chmod(path, p->mode & 07777) < 0))
		pr_warn("control group %s: cannot give it its owner and permissions: %s", path, strerror(errno));
}

/* The directories above it, too, without properties: the image has none of them. */
static int make_above(const char *mount, const char *path)
{
	auto_free char *part = xstrdup(path);

	for (char *slash = part + strlen(mount) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		if (mkdir(part, 0755) == 0)
			note(part, NULL, true);
		else if (errno != EEXIST)
			return err_errno("cannot make control group %s", part);
		*slash = '/';
	}
	return 0;
}

static int make(const struct request *request, const char *mount, const char *path, const CgroupDirEntry *e)
{
	bool there = access(path, F_OK) == 0, may = request->cgroup_mode == CGROUPS_SOFT || request->cgroup_mode == CGROUPS_FULL ||
							   request->cgroup_mode == CGROUPS_STRICT;

	if (there && request->cgroup_mode == CGROUPS_STRICT && strlen(path) > strlen(mount) + 1)
		return err_set(EEXIST, "control group %s is there, which --manage-cgroups=strict does not want", path);
	if (!there && !may)
		return err_set(ENOENT, "control group %s is not there: make it, or use --manage-cgroups=soft", path);
	if (!there && (make_above(mount, path) < 0 || mkdir(path, 0755) < 0))
		return err_code() ? -1 : err_errno("cannot make control group %s", path);
	note(path, e, !there);
	if (there)
		return 0;
	pr_info("made control group %s", path);
	set_permissions(path, e->dir_perms);
	for (size_t i = 0; i < e->n_properties; i++)
		if (is_needed_first(e->properties[i]) && set_property(path, e->properties[i]) < 0)
			return -1;
	return 0;
}

static bool is_harmless(const char *name)
{
	return strcmp(name, "..") && strncmp(name, "../", 3) && !strstr(name, "/../") &&
	       !(strlen(name) >= 3 && !strcmp(name + strlen(name) - 3, "/..")) && strlen(name) < PATH_MAX / 2;
}

static int check(const CgroupDirEntry *e, int depth, size_t *count)
{
	if (!is_harmless(e->dir_name) || depth > DEPTH_MAX || ++*count > DIRS_MAX)
		return err_set(EINVAL, "cgroup.img: a directory that cannot be: %.60s", e->dir_name);
	for (size_t i = 0; i < e->n_properties; i++)
		if (strchr(e->properties[i]->name, '/') || e->properties[i]->name[0] == '.' || !e->properties[i]->name[0])
			return err_set(EINVAL, "cgroup.img: %.60s is no property of a control group", e->properties[i]->name);
	for (size_t i = 0; i < e->n_children; i++)
		if (check(e->children[i], depth + 1, count) < 0)
			return -1;
	return 0;
}

static int make_all(const struct request *request, const char *mount, const char *path, const CgroupDirEntry *e)
{
	if (make(request, mount, path, e) < 0 && complain(request) < 0)
		return -1;
	for (size_t i = 0; i < e->n_children; i++) {
		auto_free char *child = xasprintf("%s/%s", path, e->children[i]->dir_name);

		if (make_all(request, mount, child, e->children[i]) < 0)
			return -1;
	}
	return 0;
}

int cgroup_dirs_make(const struct request *request, const CgroupEntry *image, char *(*path_of)(const char *, const char *))
{
	size_t count = 0;

	place_of = path_of;
	dir_count = 0;
	for (size_t i = 0; i < image->n_controllers; i++) {
		const CgControllerEntry *c = image->controllers[i];
		auto_free char *controllers = xstrdup("");
		char mount[2048];

		for (size_t j = 0; j < c->n_cnames; j++) {
			char *longer = xasprintf("%s%s%s", controllers, *controllers ? "," : "", c->cnames[j]);

			free(controllers);
			controllers = longer;
		}
		for (size_t j = 0; j < c->n_dirs; j++) {
			const char *name = c->dirs[j]->dir_name + strspn(c->dirs[j]->dir_name, "/");
			auto_free char *here = place_of(controllers, name), *path = NULL;

			if (check(c->dirs[j], 0, &count) < 0)
				return -1;
			/* The hierarchy's root is there; and what was not the tree's own is not made. */
			if (!here[strspn(here, "/")] || (!c->dirs[j]->dir_perms && !strcmp(here + strspn(here, "/"), name)))
				continue;
			if (!cgroup_find_mount(request, controllers, mount, sizeof(mount))) {
				err_set(ENOENT, "no hierarchy of control groups with %s is mounted here", *controllers ? controllers : "version 2");
				if (complain(request) < 0)
					return -1;
				break;
			}
			path = xasprintf("%s/%s", mount, here + strspn(here, "/"));
			if (make_all(request, mount, path, c->dirs[j]) < 0)
				return -1;
		}
	}
	return 0;
}

int cgroup_dirs_set(const struct request *request)
{
	if (request->cgroup_mode == CGROUPS_NONE || request->cgroup_mode == CGROUPS_IGNORE)
		return 0;
	for (size_t i = 0; i < dir_count; i++) {
		const CgroupDirEntry *e = dirs[i].entry;

		if (!e || (request->cgroup_mode == CGROUPS_SOFT && !dirs[i].new))
			continue;
		for (size_t j = 0; j < e->n_properties; j++) {
			auto_free char *file = xasprintf("%s/%s", dirs[i].path, e->properties[j]->name);

			if (set_property(dirs[i].path, e->properties[j]) < 0 && complain(request) < 0)
				return -1;
			set_permissions(file, e->properties[j]->perms);
		}
	}
	return 0;
}

void cgroup_dirs_unmake(void)
{
	for (size_t i = dir_count; i-- > 0;)
		for (int tries = 0; dirs[i].new && rmdir(dirs[i].path) < 0 && errno == EBUSY && tries < UNMAKE_TRIES; tries++)
			nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	dir_count = 0;
}
