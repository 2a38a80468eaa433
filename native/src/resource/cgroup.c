/* SPDX-License-Identifier: MIT */
#include "resource/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/cgroup.pb-c.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#define SETS_MAX 65536

/* --- dump --- */

static struct set {
	char *text; /* of /proc/PID/cgroup */
	uint32_t id;
	bool used; /* by a task of the tree */
} *sets; /* [0] is pcr's own */
static size_t set_count, set_room;

static struct set *note(const char *text)
{
	struct set *s;

	for (size_t i = 0; i < set_count; i++)
		if (!strcmp(sets[i].text, text))
			return &sets[i];
	s = array_push(&sets, &set_count, &set_room, sizeof(*sets));
	s->text = xstrdup(text);
	s->id = set_count;
	return s;
}

void cgroup_dump(const struct dump *dump, const struct task *task, pid_t tid, ThreadCoreEntry *e)
{
	auto_free char *mine = set_count || dump->request->ignore_cgroups ? NULL : proc_read(getpid(), "cgroup", NULL), *text = NULL;
	struct set *set;
	char name[48];

	if (dump->request->ignore_cgroups)
		return;
	snprintf(name, sizeof(name), "task/%d/cgroup", tid);
	text = proc_read(task->live, name, NULL);
	if (mine)
		note(mine);
	if (!text || !set_count)
		return;
	e->has_cg_set = true;
	set = note(text);
	set->used = true;
	e->cg_set = set->id;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(CgMemberEntry *const *)a)->name, (*(CgMemberEntry *const *)b)->name);
}

/* Lines are HIERARCHY:CONTROLLERS:PATH, cgroups(7); no controllers stand for version 2. */
static void parse_set(const char *text, CgSetEntry *e)
{
	size_t room = 0;

	while (*text) {
		const char *name = strchr(text, ':'), *path = name ? strchr(name + 1, ':') : NULL, *end = strchr(text, '\n');
		CgMemberEntry *m;

		if (!end)
			end = text + strlen(text);
		if (path && path < end) {
			m = xzalloc(sizeof(*m));
			cg_member_entry__init(m);
			m->name = xasprintf("%.*s", (int)(path - name - 1), name + 1);
			m->path = xasprintf("%.*s", (int)(end - path - 1), path + 1);
			*(CgMemberEntry **)array_push(&e->ctls, &e->n_ctls, &room, sizeof(m)) = m;
		}
		text = *end ? end + 1 : end;
	}
	qsort(e->ctls, e->n_ctls, sizeof(*e->ctls), by_name);
}

static CgControllerEntry *controller_of(CgroupEntry *e, const char *name, size_t *room)
{
	CgControllerEntry *c;

	for (size_t i = 0; i < e->n_controllers; i++)
		if (!strcmp(e->controllers[i]->cnames[0], name))
			return e->controllers[i];
	c = xzalloc(sizeof(*c));
	cg_controller_entry__init(c);
	c->cnames = xzalloc(sizeof(*c->cnames));
	c->cnames[c->n_cnames++] = xstrdup(name);
	*(CgControllerEntry **)array_push(&e->controllers, &e->n_controllers, room, sizeof(c)) = c;
	return c;
}

/* A real CRIU enters only directories that are listed with their controller. */
static void add_directories(CgroupEntry *e, const CgSetEntry *set, size_t *room)
{
	for (size_t i = 0; i < set->n_ctls; i++) {
		CgControllerEntry *c = controller_of(e, set->ctls[i]->name, room);
		const char *path = set->ctls[i]->path + (set->ctls[i]->path[0] == '/');
		CgroupDirEntry *d;
		bool known = false;

		for (size_t j = 0; j < c->n_dirs; j++)
			known |= !strcmp(c->dirs[j]->dir_name, path);
		if (known)
			continue;
		d = xzalloc(sizeof(*d));
		cgroup_dir_entry__init(d);
		d->dir_name = xstrdup(path);
		c->dirs = xrealloc(c->dirs, (c->n_dirs + 1) * sizeof(*c->dirs));
		c->dirs[c->n_dirs++] = d;
	}
}

int cgroup_dump_end(struct dump *dump)
{
	auto_img *img = NULL;
	CgroupEntry *e;
	size_t controllers = 0;
	int result;

	if (set_count < 2)
		return 0;
	e = xzalloc(sizeof(*e));
	cgroup_entry__init(e);
	e->sets = xzalloc(set_count * sizeof(*e->sets));
	for (size_t i = 0; i < set_count; i++) {
		CgSetEntry *s;

		if (!sets[i].used)
			continue;
		s = xzalloc(sizeof(*s));
		cg_set_entry__init(s);
		s->id = sets[i].id;
		parse_set(sets[i].text, s);
		e->sets[e->n_sets++] = s;
		add_directories(e, s, &controllers);
	}
	img = img_create(dump->dirfd, IMG_CGROUP, 0);
	result = img ? img_write(img, &e->base) : -1;
	cgroup_entry__free_unpacked(e, NULL);
	return result;
}

void cgroup_forget(void)
{
	for (size_t i = 0; i < set_count; i++)
		free(sets[i].text);
	free(sets);
	sets = NULL;
	set_count = set_room = 0;
}

/* --- restore --- */

static CgroupEntry *image;
static CgSetEntry own = CG_SET_ENTRY__INIT; /* of pcr, where tasks of the root set go */

static uint32_t set_of(const struct restore *restore, const struct restore_task *task)
{
	const CoreEntry *core = task && task->threads ? task->threads[0].core : NULL;

	if (core && core->thread_core && core->thread_core->has_cg_set)
		return core->thread_core->cg_set;
	if (core && core->tc && core->tc->has_cg_set)
		return core->tc->cg_set;
	return restore->inventory->root_cg_set;
}

static const CgSetEntry *find_set(uint32_t id)
{
	for (size_t i = 0; image && i < image->n_sets; i++)
		if (image->sets[i]->id == id)
			return image->sets[i];
	return NULL;
}

int cgroup_read(struct restore *restore)
{
	auto_img *img = restore->request->ignore_cgroups ? NULL : img_open(restore->dirfd, IMG_CGROUP, 0, true);
	auto_free char *text = NULL;

	if (!img)
		return err_code() ? -1 : 0;
	if (img_read_one(img, &cgroup_entry__descriptor, &image) < 0)
		return -1;
	text = proc_read(getpid(), "cgroup", NULL);
	if (text)
		parse_set(text, &own);
	return image->n_sets > SETS_MAX ? err_set(EINVAL, "cgroup.img has %zu sets of groups", image->n_sets) : 0;
}

/* Where the hierarchy with these controllers ("" for version 2) is mounted: proc_pid_mountinfo(5). */
static bool find_mount(const char *controllers, char *path, size_t size)
{
	auto_file *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], point[2048], type[64], options[1024], list[1024];

	while (f && fgets(line, sizeof(line), f)) {
		const char *rest = strstr(line, " - ");

		if (sscanf(line, "%*s %*s %*s %*s %2047s", point) != 1 || !rest || sscanf(rest, " - %63s %*s %1023s", type, options) != 2)
			continue;
		if (!*controllers ? strcmp(type, "cgroup2") != 0 : strcmp(type, "cgroup") != 0)
			continue;
		snprintf(list, sizeof(list), "%s", controllers);
		if (*controllers) {
			char *comma = strchr(list, ','), *save = NULL;
			bool found = false;

			/* One of them is enough: a controller is in one hierarchy. */
			if (comma)
				*comma = 0;
			for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save))
				found |= !strcmp(o, list);
			if (!found)
				continue;
		}
		snprintf(path, size, "%s", point);
		return true;
	}
	return false;
}

static void enter(const struct restore_task *task, const CgMemberEntry *m)
{
	char mount[2048], path[8192];
	auto_fd fd = -1;

	if (m->path[0] != '/' || strstr(m->path, "/../") || !find_mount(m->name, mount, sizeof(mount))) {
		pr_warn("pid %d: its control group %s:%s is not here: it stays in pcr's", task->pid, m->name, m->path);
		return;
	}
	snprintf(path, sizeof(path), "%s%s/cgroup.procs", mount, strcmp(m->path, "/") ? m->path : "");
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || write(fd, "0", 1) != 1)
		pr_warn("pid %d: cannot enter its control group %s:%s: %s; it stays in pcr's", task->pid, m->name, m->path, strerror(errno));
}

/* The path of these controllers in the text of /proc/PID/cgroup. */
static bool is_there(const char *text, const CgMemberEntry *m)
{
	auto_free char *line = xasprintf(":%s:%s\n", m->name, m->path);

	return strstr(text, line) != NULL;
}

void cgroup_enter(struct restore *restore, const struct restore_task *task)
{
	uint32_t id = set_of(restore, task);
	const CgSetEntry *set;
	auto_free char *now = NULL;

	if (!image || (!task->parent && id == restore->inventory->root_cg_set) || (task->parent && id == set_of(restore, task->parent)))
		return;
	set = id == restore->inventory->root_cg_set ? &own : find_set(id);
	if (!set)
		pr_warn("pid %d: cgroup.img does not have its set of control groups, %u", task->pid, id);
	now = proc_read(getpid(), "cgroup", NULL);
	for (size_t i = 0; set && now && i < set->n_ctls; i++)
		if (!is_there(now, set->ctls[i]))
			enter(task, set->ctls[i]);
}
