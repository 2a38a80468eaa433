/* SPDX-License-Identifier: MIT */
#include "tree/track.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/inventory.pb-c.h"
#include "ptrace/parasite.h"
#include "resource/vma.h"
#include "tree/dump.h"
#include "tree/tracker.h"

#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

struct track {
	struct tracked_set set; /* as the tracker had it */
	uint64_t root_start;
	bool taken; /* the descriptors are nobody else's any more */
	bool armed; /* scans may have reset what was noted since set.name */
	char name[TRACK_NAME_MAX]; /* of this dump, "" when it does not track */
};

/* A random number as a UUID is written, RFC 9562. */
static void make_name(char *name)
{
	unsigned char r[16] = { 0 };

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return;
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	snprintf(name, TRACK_NAME_MAX, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2], r[3], r[4], r[5],
		 r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
}

/* Ticks since boot at which a process was started, 0 when there is none: proc_pid_stat(5), field 22. */
static uint64_t start_of(pid_t pid)
{
	auto_free char *stat = proc_read(pid, "stat", NULL);
	const char *end = stat ? strrchr(stat, ')') : NULL;
	uint64_t start;

	return end && sscanf(end + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64, &start) == 1 ? start : 0;
}

/* execve lays it out anew, at random. */
static uint64_t layout_of(const struct task *task)
{
	return task->start_code * 31 + task->start_stack * 7 + task->arg_start;
}

/* A descriptor for each process is many for the usual soft limit. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int track_begin(struct dump *dump)
{
	const struct request *r = dump->request;
	struct track *t = xzalloc(sizeof(*t));

	dump->track = t;
	dump->parent_fd = -1;
	if (img_link_parent(dump->dirfd, r->parent_img) < 0)
		return -1;
	if (r->parent_img && (dump->parent_fd = img_open_parent(dump->dirfd)) < 0)
		return -1;
	t->root_start = start_of(r->pid);
	t->taken = tracker_ask(r->pid, t->root_start, r->track_mem, &t->set) && r->track_mem;
	if (r->track_mem) {
		make_name(t->name);
		allow_descriptors();
	}
	return 0;
}

/* The name that the parent dump's inventory has. Returns whether it is that of the tracker. */
static bool parent_matches(const struct dump *dump)
{
	auto_img *img = img_open(dump->parent_fd, IMG_INVENTORY, 0, true);
	InventoryEntry *e = NULL;
	bool same = img && img_read_one(img, &inventory_entry__descriptor, &e) == 0 && e->dump_criu_run_id && dump->track->set.name[0] &&
		    !strcmp(e->dump_criu_run_id, dump->track->set.name);

	if (e)
		inventory_entry__free_unpacked(e, NULL);
	err_clear();
	return same;
}

/* Processes that ended, and those that are another program now. */
static void drop_strangers(struct dump *dump)
{
	struct tracked_set *set = &dump->track->set;
	size_t kept = 0;

	for (size_t j = 0; j < set->count; j++) {
		bool used = false;

		for (size_t i = 0; i < dump->tree.count && !used; i++)
			used = dump->tree.tasks[i]->uffd == set->list[j].uffd;
		if (used)
			set->list[kept++] = set->list[j];
		else
			close(set->list[j].uffd);
	}
	set->count = kept;
}

void track_match(struct dump *dump)
{
	struct track *t = dump->track;
	bool trusted = dump->parent_fd >= 0 && parent_matches(dump);

	if (dump->parent_fd >= 0 && !trusted)
		pr_warn("all memory is dumped, not only what was written since %s: %s", dump->request->parent_img,
			t->set.name[0] ? "memory has been tracked since another dump than that one" :
					 "nothing is known of what was written since (was it made with --track-mem, by this pcr, and left running?)");
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		for (size_t j = 0; j < t->set.count && !task->zombie; j++) {
			const struct tracked *old = &t->set.list[j];

			if (old->pid != task->pid || old->start_time != task->start_time || old->layout != layout_of(task))
				continue;
			task->uffd = old->uffd;
			task->in_parent = trusted;
		}
	}
	if (t->taken)
		drop_strangers(dump);
}

static int make_uffd(struct task *task)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED };

	task->uffd = parasite_uffd(task);
	if (task->uffd < 0)
		return -1;
	if (ioctl(task->uffd, UFFDIO_API, &api) == 0)
		return 0;
	err_errno("pid %d: userfaultfd with asynchronous write protection (Linux 6.7)", task->pid);
	close(task->uffd);
	task->uffd = -1;
	return -1;
}

static bool can_register(const struct vma *v)
{
	return (v->kind == VMA_ANON || v->kind == VMA_FILE || v->kind == VMA_MEMFD) && !(v->flags & MAP_SHARED) && !v->huge;
}

static int register_range(const struct task *task, uint64_t start, uint64_t end)
{
	struct uffdio_register reg = { .range = { start, end - start }, .mode = UFFDIO_REGISTER_MODE_WP };

	return ioctl(task->uffd, UFFDIO_REGISTER, &reg);
}

/* A mapping that lost its registration (mremap) may have page table entries that are marked as protected and can be written all the same:
 * they would look unwritten for ever. Where the marks cannot be taken away nothing is tracked. */
static void clear_marks(const struct task *task, uint64_t start, uint64_t end)
{
	struct uffdio_writeprotect clear = { .range = { start, end - start } };

	while (ioctl(task->uffd, UFFDIO_WRITEPROTECT, &clear) < 0)
		if (errno != EAGAIN) {
			pr_debug("pid %d: 0x%" PRIx64 "-0x%" PRIx64 " is not tracked: %s", task->pid, start, end, strerror(errno));
			ioctl(task->uffd, UFFDIO_UNREGISTER, &clear.range);
			break;
		}
}

/* Registers the mappings first to last, which lie together but for holes. */
static int register_run(const struct task *task, size_t first, size_t last)
{
	const struct vma *v = task->vmas;

	if (register_range(task, v[first].start, v[last].end) < 0)
		return -1;
	for (size_t i = first, next; i <= last; i = next) {
		next = i + 1;
		if (v[i].tracked)
			continue;
		while (next <= last && !v[next].tracked)
			next++;
		clear_marks(task, v[i].start, v[next - 1].end);
	}
	return 0;
}

/* As many mappings with one call as lie together; one by one where that is refused: what stays untracked is dumped in full. */
static void register_task(const struct task *task)
{
	for (size_t i = 0, end; i < task->vma_count; i = end) {
		end = i + 1;
		if (!can_register(&task->vmas[i]))
			continue;
		while (end < task->vma_count && can_register(&task->vmas[end]))
			end++;
		if (register_run(task, i, end - 1) == 0)
			continue;
		for (size_t j = i; j < end; j++)
			if (register_run(task, j, j) < 0)
				pr_debug("pid %d: writes to 0x%" PRIx64 "-0x%" PRIx64 " cannot be tracked", task->pid, task->vmas[j].start, task->vmas[j].end);
	}
}

void track_arm(struct dump *dump)
{
	struct track *t = dump->track;

	if (!dump->request->track_mem || !t->name[0])
		return;
	t->armed = true;
	for (size_t i = 0; i < dump->tree.count; i++) {
		struct task *task = dump->tree.tasks[i];

		if (task->zombie)
			continue;
		if (task->uffd < 0) {
			if (make_uffd(task) < 0) {
				pr_warn("memory cannot be tracked, the next dump will be a full one: %s", err_text());
				err_clear();
				/* The others would say the same. */
				t->name[0] = 0;
				return;
			}
			*(struct tracked *)array_push(&t->set.list, &t->set.count, &t->set.room, sizeof(struct tracked)) =
				(struct tracked){ task->pid, task->start_time, layout_of(task), task->uffd };
		}
		register_task(task);
	}
}

bool track_armed(const struct dump *dump)
{
	return dump->track->armed && dump->track->name[0];
}

const char *track_name(const struct dump *dump)
{
	return dump->track->name[0] ? dump->track->name : NULL;
}

void track_end(struct dump *dump, bool whole)
{
	struct track *t = dump->track;

	if (!t)
		return;
	/* What was noted before is used up once a scan may have armed. */
	if (t->armed)
		memcpy(t->set.name, whole ? t->name : "", whole ? sizeof(t->name) : 1);
	if (t->taken || t->armed) {
		if (t->set.name[0] && t->set.count && tracker_start(dump->request->pid, t->root_start, &t->set) < 0) {
			pr_warn("the next dump will be a full one: %s", err_text());
			err_clear();
		}
	}
	for (size_t i = 0; i < t->set.count; i++)
		close(t->set.list[i].uffd);
	free(t->set.list);
	free(t);
	dump->track = NULL;
	if (dump->parent_fd >= 0)
		close(dump->parent_fd);
	dump->parent_fd = -1;
}
