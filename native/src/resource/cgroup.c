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
#include "resource/cgroup_dirs.h"
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
	auto_free char *mine = set_count || dump->request->cgroup_mode == CGROUPS_IGNORE ? NULL : proc_read(getpid(), "cgroup", NULL), *text = NULL;
	struct set *set;
	char name[48];

	if (dump->request->cgroup_mode == CGROUPS_IGNORE)
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

static const CgMemberEntry *member_of(const CgSetEntry *set, const char *controllers)
{
	for (size_t i = 0; set && i < set->n_ctls; i++)
		if (!strcmp(set->ctls[i]->name, controllers))
			return set->ctls[i];
	return NULL;
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

/* Whether path is that directory or lies in it, and is listed with it; those of the root are not. */
static bool is_below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return !strcmp(path, directory) || (n && !strncmp(path, directory, n) && path[n] == '/');
}

/* --cgroup-dump-controller: only those named, if any are. */
static bool is_wanted(const struct request *request, const char *controllers)
{
	for (size_t i = 0; i < request->cgroup_controller_count; i++)
		if (!strcmp(request->cgroup_controllers[i], controllers))
			return true;
	return !request->cgroup_controller_count;
}

/* A real CRIU enters only directories that are listed with their controller. */
static void add_directories(const struct request *request, CgroupEntry *e, const CgSetEntry *set, size_t *room)
{
	CgSetEntry mine = CG_SET_ENTRY__INIT;

	parse_set(sets[0].text, &mine);
	for (size_t i = 0; i < set->n_ctls; i++) {
		CgControllerEntry *c = is_wanted(request, set->ctls[i]->name) ? controller_of(e, set->ctls[i]->name, room) : NULL;
		const CgMemberEntry *m = member_of(&mine, set->ctls[i]->name);
		const char *path = set->ctls[i]->path + (set->ctls[i]->path[0] == '/');
		bool known = !c;

		for (size_t j = 0; c && j < c->n_dirs; j++)
			known |= is_below(path, c->dirs[j]->dir_name);
		if (known)
			continue;
		c->dirs = xrealloc(c->dirs, (c->n_dirs + 1) * sizeof(*c->dirs));
		c->dirs[c->n_dirs++] = cgroup_dir_dump(request, c->cnames[0], path, !m || strcmp(m->path, set->ctls[i]->path));
	}
	for (size_t i = 0; i < mine.n_ctls; i++)
		cg_member_entry__free_unpacked(mine.ctls[i], NULL);
	free(mine.ctls);
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
		add_directories(dump->request, e, s, &controllers);
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
	auto_img *img = restore->request->cgroup_mode == CGROUPS_IGNORE ? NULL : img_open(restore->dirfd, IMG_CGROUP, 0, true);
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

/* Of the restore that runs, for place(). */
static const struct request *asked;
static const CgSetEntry *roots_set;

/* --cgroup-root of these controllers, NULL for none. */
static const char *new_root(const char *controllers)
{
	const char *for_all = NULL;

	for (size_t i = 0; i < asked->cgroup_root_count; i++) {
		if (!asked->cgroup_roots[i].controller)
			for_all = asked->cgroup_roots[i].path;
		else if (!strcmp(asked->cgroup_roots[i].controller, controllers))
			return asked->cgroup_roots[i].path;
	}
	return for_all;
}

/* Where a path of the image is here: what the root task's group was goes to the new root, what lies in it with it. */
static char *place(const char *controllers, const char *path)
{
	const char *root = new_root(controllers);
	const CgMemberEntry *m = member_of(roots_set, controllers);
	const char *old = m ? m->path + strspn(m->path, "/") : "", *rest = path + strspn(path, "/");

	if (!root || (*old && !is_below(rest, old)))
		return xasprintf("/%s", rest);
	rest += strlen(old);
	rest += strspn(rest, "/");
	return xasprintf("%s%s%s", root, *rest ? "/" : "", rest);
}

static void enter(const struct request *request, const struct restore_task *task, const CgMemberEntry *m, const char *here)
{
	char mount[2048], path[8192];
	auto_fd fd = -1;

	if (m->path[0] != '/' || strstr(m->path, "/../") || !cgroup_find_mount(request, m->name, mount, sizeof(mount))) {
		pr_warn("pid %d: its control group %s:%s is not here: it stays in pcr's", task->pid, m->name, m->path);
		return;
	}
	snprintf(path, sizeof(path), "%s%s/cgroup.procs", mount, strcmp(here, "/") ? here : "");
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || write(fd, "0", 1) != 1)
		pr_warn("pid %d: cannot enter its control group %s:%s: %s; it stays in pcr's", task->pid, m->name, m->path, strerror(errno));
}

/* The path of these controllers in the text of /proc/PID/cgroup. */
static bool is_there(const char *text, const char *controllers, const char *path)
{
	auto_free char *line = xasprintf(":%s:%s\n", controllers, path);

	return strstr(text, line) != NULL;
}

void cgroup_enter(struct restore *restore, const struct restore_task *task)
{
	uint32_t id = set_of(restore, task);
	const CgSetEntry *set;
	auto_free char *now = NULL;

	if (restore->request->cgroup_mode == CGROUPS_IGNORE)
		return;
	if (!image || (!task->parent && id == restore->inventory->root_cg_set) || (task->parent && id == set_of(restore, task->parent)))
		return;
	set = id == restore->inventory->root_cg_set ? &own : find_set(id);
	if (!set)
		pr_warn("pid %d: cgroup.img does not have its set of control groups, %u", task->pid, id);
	now = proc_read(getpid(), "cgroup", NULL);
	for (size_t i = 0; set && now && i < set->n_ctls; i++) {
		const CgMemberEntry *m = set->ctls[i];
		auto_free char *here = set == &own ? xstrdup(m->path) : place(m->name, m->path);

		if (!is_there(now, m->name, here))
			enter(restore->request, task, m, here);
	}
}

int cgroup_prepare(const struct restore *restore)
{
	asked = restore->request;
	roots_set = find_set(set_of(restore, &restore->tasks[0]));
	if (asked->cgroup_root_count && !roots_set)
		pr_warn("--cgroup-root: the root of the tree was in the control groups of whoever dumped it: it stays in pcr's");
	return image ? cgroup_dirs_make(asked, image, place) : 0;
}
