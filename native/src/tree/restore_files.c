/* SPDX-License-Identifier: MIT
 *
 * Descriptors of the tree to restore. Each open file is opened once, in the nearest common ancestor of the tasks that use it, at a
 * number ("slot") that no task needs; its descendants inherit it, and every task puts its descriptors in place and closes the rest.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/inherit.h"
#include "resource/filelock.h"
#include "resource/remap.h"
#include "tree/restore_tree.h"

/* --- files.img --- */

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = (*(struct restore_file *const *)a)->id, y = (*(struct restore_file *const *)b)->id;

	return (x > y) - (x < y);
}

static int read_files(struct restore *restore)
{
	auto_img *img = img_open(restore->dirfd, IMG_FILES, 0, false);
	FileEntry *e;
	int got;

	if (!img)
		return -1;
	while ((got = img_read(img, &file_entry__descriptor, &e)) > 0) {
		struct restore_file *file = xzalloc(sizeof(*file));

		*(struct restore_file **)array_push(&restore->files, &restore->file_count, &restore->file_room, sizeof(file)) = file;
		file->id = e->id;
		file->entry = e;
		file->slot = -1;
		file->group = file;
	}
	if (got < 0)
		return -1;
	qsort(restore->files, restore->file_count, sizeof(*restore->files), compare_ids);
	for (size_t i = 1; i < restore->file_count; i++)
		if (restore->files[i]->id == restore->files[i - 1]->id)
			return err_set(EINVAL, "files.img has id %u twice", restore->files[i]->id);
	return 0;
}

struct restore_file *restore_find_file(struct restore *restore, uint32_t id)
{
	size_t low = 0, high = restore->file_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (restore->files[middle]->id == id)
			return restore->files[middle];
		if (restore->files[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static struct restore_file *group_of(struct restore_file *file)
{
	while (file->group != file)
		file = file->group;
	return file;
}

void restore_group_files(struct restore *restore, uint32_t id, uint32_t with)
{
	struct restore_file *a = group_of(restore_find_file(restore, id)), *b = group_of(restore_find_file(restore, with));

	a->group = b;
	if (a != b)
		b->owner = restore_common_ancestor(a->owner, b->owner);
}

/* A kind's open() sees flags in its own part of the entry. */
static uint32_t *flags_of(FileEntry *e)
{
	switch (e->type) {
	case FD_TYPES__REG:
		return e->reg ? &e->reg->flags : NULL;
	case FD_TYPES__MEMFD:
		return e->memfd ? &e->memfd->flags : NULL;
	default:
		return NULL;
	}
}

static struct restore_file *variant(struct restore_file *file, uint32_t flags)
{
	uint32_t *own = flags_of(file->entry);
	struct restore_file *v;

	if (!own || ((*own ^ flags) & O_ACCMODE) == 0)
		return file;
	for (v = file->next_variant; v; v = v->next_variant)
		if (((*flags_of(v->entry) ^ flags) & O_ACCMODE) == 0)
			return v;
	v = xzalloc(sizeof(*v));
	*v = *file;
	v->group = v;
	v->owner = NULL;
	v->is_fd = false;
	v->entry = xzalloc(sizeof(*v->entry));
	*v->entry = *file->entry;
	if (v->entry->type == FD_TYPES__REG) {
		v->entry->reg = xzalloc(sizeof(*v->entry->reg));
		*v->entry->reg = *file->entry->reg;
	} else {
		v->entry->memfd = xzalloc(sizeof(*v->entry->memfd));
		*v->entry->memfd = *file->entry->memfd;
	}
	*flags_of(v->entry) = flags;
	file->next_variant = v;
	file->next_variant = v;
	/* One inode: opened in one task. */
	if (v->entry->type == FD_TYPES__MEMFD)
		v->group = file;
	return v;
}

static void use(struct restore_file *file, struct restore_task *task)
{
	struct restore_file *group = group_of(file);

	group->owner = restore_common_ancestor(group->owner, task);
	file->owner = group->owner;
}

/* Once for each file that somebody uses. */
static int collect(struct restore *restore, struct restore_file *file)
{
	if (file->kind)
		return 0;
	file->kind = inherit_has(restore, file->entry) ? &inherited_kind : fd_kind_of_type(file->entry->type);
	if (!file->kind || !file->kind->open) {
		const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(&fd_types__descriptor, file->entry->type);

		return err_set(ENOTSUP, "a file of type %s (id %u), which cannot be restored yet", v ? v->name : "unknown", file->id);
	}
	return file->kind->collect ? file->kind->collect(restore, file->entry) : 0;
}

int restore_need_file(struct restore *restore, uint32_t id, uint32_t with)
{
	struct restore_file *file = restore_find_file(restore, id);

	if (!file)
		return err_set(EINVAL, "files.img has no file with id %u", id);
	file->needed = true;
	if (collect(restore, file) < 0)
		return -1;
	restore_group_files(restore, id, with);
	return 0;
}

struct restore_file *restore_use_file(struct restore *restore, struct restore_task *task, uint32_t id, long flags)
{
	struct restore_file *file = restore_find_file(restore, id);

	if (!file) {
		err_set(EINVAL, "pid %d: files.img has no file with id %u", task->pid, id);
		return NULL;
	}
	if (collect(restore, file) < 0) {
		err_context("pid %d", task->pid);
		return NULL;
	}
	if (flags >= 0)
		file = variant(file, flags);
	use(file, task);
	return file;
}

/* --- fdinfo-N.img --- */

static int compare_fds(const void *a, const void *b)
{
	uint32_t x = (*(FdinfoEntry *const *)a)->fd, y = (*(FdinfoEntry *const *)b)->fd;

	return (x > y) - (x < y);
}

static int read_fdinfo(struct restore *restore, struct restore_task *task)
{
	auto_img *img = img_open(restore->dirfd, IMG_FDINFO, task->ids->files_id, false);
	struct rlimit own;
	FdinfoEntry *e;
	int got;

	if (!img)
		return err_context("pid %d", task->pid);
	getrlimit(RLIMIT_NOFILE, &own);
	while ((got = img_read(img, &fdinfo_entry__descriptor, &e)) > 0) {
		*(FdinfoEntry **)array_push(&task->fds, &task->fd_count, &task->fd_room, sizeof(e)) = e;
		if (e->fd >= own.rlim_max)
			return err_set(EMFILE, "pid %d: descriptor %u is above what is allowed here (RLIMIT_NOFILE %" PRIu64 ")", task->pid, e->fd,
				       (uint64_t)own.rlim_max);
	}
	if (got < 0)
		return err_context("pid %d", task->pid);
	qsort(task->fds, task->fd_count, sizeof(*task->fds), compare_fds);
	task->fd_files = xzalloc(task->fd_count * sizeof(*task->fd_files));
	for (size_t i = 0; i < task->fd_count; i++) {
		e = task->fds[i];
		if (i && e->fd == task->fds[i - 1]->fd)
			return err_set(EINVAL, "pid %d: %s has descriptor %u twice", task->pid, img_name(img), e->fd);
		task->fd_files[i] = restore_use_file(restore, task, e->id, -1);
		if (!task->fd_files[i])
			return err_context("descriptor %u", e->fd);
		if (task->fd_files[i]->entry->type != e->type)
			return err_set(EINVAL, "pid %d: descriptor %u is of another type in files.img", task->pid, e->fd);
		task->fd_files[i]->is_fd = true;
	}
	return 0;
}

int restore_read_files(struct restore *restore)
{
	if (read_files(restore) < 0 || remaps_read(restore) < 0)
		return -1;
	for (size_t i = 0; i < restore->task_count; i++) {
		struct restore_task *task = &restore->tasks[i];

		if (task->zombie || task->helper)
			continue;
		/* Tasks that share a table have the same images of it; the owner is further up in the tree. */
		if (task->files_owner == task && read_fdinfo(restore, task) < 0)
			return -1;
		task->exe = restore_use_file(restore, task, task->mm->exe_file_id, O_RDONLY);
		if (!task->exe)
			return err_context("executable");
		task->cwd = restore_use_file(restore, task, task->fs->cwd_id, -1);
		if (!task->cwd)
			return err_context("working directory");
		task->root = restore_use_file(restore, task, task->fs->root_id, -1);
		if (!task->root)
			return err_context("root directory");
	}
	return filelocks_read(restore);
}

/* --- slots --- */

static void take(struct restore *restore, size_t fd)
{
	if (fd >= restore->fd_taken_size) {
		size_t size = ROUND_UP(fd + 1, 1024);

		restore->fd_taken = xrealloc(restore->fd_taken, size);
		memset(restore->fd_taken + restore->fd_taken_size, 0, size - restore->fd_taken_size);
		restore->fd_taken_size = size;
	}
	restore->fd_taken[fd] = true;
}

static size_t next_slot = 3; /* where a free number is looked for */

/* Whether a free one is left below limit. */
static bool restore_has_slot(const struct restore *restore, size_t limit)
{
	size_t n = next_slot;

	while (n < restore->fd_taken_size && restore->fd_taken[n])
		n++;
	return n < limit;
}

int restore_free_slot(struct restore *restore)
{
	while (next_slot < restore->fd_taken_size && restore->fd_taken[next_slot])
		next_slot++;
	take(restore, next_slot);
	return next_slot++;
}

static void each_file(struct restore *restore, void (*fn)(struct restore *, struct restore_file *))
{
	for (size_t i = 0; i < restore->file_count; i++)
		for (struct restore_file *f = restore->files[i]; f; f = f->next_variant)
			fn(restore, f);
}

static void settle_owner(struct restore *restore, struct restore_file *file)
{
	if (file->owner || file->needed)
		file->owner = group_of(file)->owner;
}

static bool is_late(const struct restore *restore, const struct restore_file *file)
{
	return file->kind->late && file->kind->late(restore, file->entry);
}

/* Something stands at each slot until the file does, so that no descriptor of passage gets the number. */
static int placeholder = -1;

/* As many numbers are left below the limit for what comes after the files. */
#define SLOT_RESERVE 64
static size_t slot_limit;

/* Numbers that only one task has, and that are free here: where its file may be from the start. */
static void find_own_numbers(struct restore *restore)
{
	auto_free uint32_t *users = xzalloc(restore->fd_taken_size * sizeof(*users));
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	slot_limit = limit.rlim_cur > SLOT_RESERVE ? limit.rlim_cur - SLOT_RESERVE : 0;
	for (size_t i = 0; i < restore->task_count; i++)
		for (size_t j = 0; j < restore->tasks[i].fd_count; j++)
			users[restore->tasks[i].fds[j]->fd]++;
	for (size_t i = 0; i < restore->task_count; i++)
		for (size_t j = 0; j < restore->tasks[i].fd_count; j++) {
			struct restore_file *file = restore->tasks[i].fd_files[j];
			uint32_t fd = restore->tasks[i].fds[j]->fd;

			if (!file->own_fd && file->owner == &restore->tasks[i] && users[fd] == 1 && fd > 2 && fcntl(fd, F_GETFD) < 0)
				file->own_fd = fd;
		}
}

static void give_slot(struct restore *restore, struct restore_file *file)
{
	if (!file->owner)
		return;
	/* A task that uses more than half of the numbers that it may have leaves too few others. */
	file->slot = file->own_fd && !restore_has_slot(restore, slot_limit) ? (int)file->own_fd :
													       restore_free_slot(restore);
	restore->late_count += is_late(restore, file);
	if (dup3(placeholder, file->slot, O_CLOEXEC) < 0)
		err_errno("cannot use descriptor number %d", file->slot);
}

int restore_assign_slots(struct restore *restore)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *d;

	if (!dir)
		return err_errno("cannot read /proc/self/fd");
	while ((d = readdir(dir)))
		if (d->d_name[0] >= '0' && d->d_name[0] <= '9')
			take(restore, atoi(d->d_name));
	closedir(dir);
	for (size_t i = 0; i < restore->task_count; i++)
		for (size_t j = 0; j < restore->tasks[i].fd_count; j++)
			take(restore, restore->tasks[i].fds[j]->fd);
	each_file(restore, settle_owner);
	find_own_numbers(restore);
	placeholder = restore_free_slot(restore);
	if (dup3(restore->dirfd, placeholder, O_CLOEXEC) < 0)
		return err_errno("cannot use descriptor number %d", placeholder);
	each_file(restore, give_slot);
	return err_code() ? -1 : 0;
}

static void free_slot(struct restore *restore, struct restore_file *file)
{
	if (file->slot >= 0)
		close(file->slot);
}

void restore_close_slots(struct restore *restore)
{
	each_file(restore, free_slot);
	if (placeholder >= 0)
		close(placeholder);
	placeholder = -1;
}

/* --- in the task --- */

int restore_open_file(struct restore *restore, struct restore_file *file)
{
	int fd = file->kind->open(restore, file->entry);

	if (fd < 0)
		return -1;
	file->opened = true;
	if (fd == file->slot)
		return 0;
	if (dup3(fd, file->slot, O_CLOEXEC) < 0)
		return err_errno("cannot use descriptor number %d", file->slot);
	close(fd);
	return 0;
}

int restore_open_files(struct restore *restore, struct restore_task *task)
{
	for (size_t i = 0; i < restore->file_count; i++)
		for (struct restore_file *f = restore->files[i]; f; f = f->next_variant)
			if (f->owner == task && !f->opened && !is_late(restore, f) && restore_open_file(restore, f) < 0)
				return -1;
	return 0;
}

static bool uses(const struct restore_task *task, const struct restore_file *file)
{
	if (file == task->exe || file == task->cwd || file == task->root)
		return true;
	for (size_t i = 0; i < task->fd_count; i++)
		if (task->fd_files[i] == file)
			return true;
	for (size_t i = 0; i < task->vma_count; i++)
		if (task->vmas[i].file == file)
			return true;
	return false;
}

static int fetch(const struct restore_file *file)
{
	auto_fd pidfd = pidfd_open(file->owner->pid, 0);
	auto_fd fd = pidfd < 0 ? -1 : pidfd_getfd(pidfd, file->slot, 0);

	if (fd < 0 || dup3(fd, file->slot, O_CLOEXEC) < 0)
		return err_errno("cannot get a file that pid %d has opened", file->owner->pid);
	return 0;
}

static void meet(uint32_t *counter, uint32_t goal)
{
	uint32_t now;

	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, counter, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	while ((now = __atomic_load_n(counter, __ATOMIC_SEQ_CST)) < goal)
		syscall(SYS_futex, counter, FUTEX_WAIT, now, NULL, NULL, 0);
}

int restore_open_late_files(struct restore *restore, struct restore_task *task)
{
	uint32_t tasks = 0;

	for (size_t i = 0; i < restore->task_count; i++)
		tasks += !restore->tasks[i].zombie && !restore->tasks[i].helper;
	for (size_t i = 0; i < restore->file_count; i++)
		for (struct restore_file *f = restore->files[i]; f; f = f->next_variant)
			if (f->owner == task && !f->opened && is_late(restore, f) && restore_open_file(restore, f) < 0)
				return -1;
	meet(&restore->shared->late_opened, tasks);
	for (size_t i = 0; i < restore->file_count; i++)
		for (struct restore_file *f = restore->files[i]; f; f = f->next_variant)
			if (f->owner && f->owner != task && is_late(restore, f) && uses(task, f) && fetch(f) < 0)
				return -1;
	/* Nobody puts files in place, and so closes slots, before that. */
	meet(&restore->shared->late_fetched, tasks);
	return 0;
}

int restore_finish_files(struct restore *restore, struct restore_task *task)
{
	const struct fd_kind *done[FD_TYPES__PIDFD + 1] = { NULL };

	for (size_t i = 0; i < restore->file_count; i++) {
		const struct restore_file *file = restore->files[i];

		if (file->owner != task || !file->kind->finish || file->kind->type >= ARRAY_LEN(done) || done[file->kind->type])
			continue;
		done[file->kind->type] = file->kind;
		if (file->kind->finish(restore, task) < 0)
			return -1;
	}
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

static void close_others(struct restore *restore, const struct restore_task *task)
{
	auto_free unsigned int *keep = xzalloc((task->fd_count + 2 * restore->task_count + 1) * sizeof(*keep));
	unsigned int next = 0;
	size_t n = 0;

	for (size_t i = 0; i < task->fd_count; i++)
		keep[n++] = task->fds[i]->fd;
	for (size_t i = 0; i < restore->task_count; i++)
		if (restore->tasks[i].files_owner == task) {
			keep[n++] = restore->tasks[i].exe->slot;
			if (restore->tasks[i].uffd_slot)
				keep[n++] = restore->tasks[i].uffd_slot;
		}
	keep[n++] = restore->log_slot;
	qsort(keep, n, sizeof(*keep), compare_numbers);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] > next)
			syscall(SYS_close_range, next, keep[i] - 1, 0);
		next = keep[i] + 1;
	}
	syscall(SYS_close_range, next, ~0U, 0);
}

/* The signals of an O_ASYNC file name the descriptor by which that was set (si_fd, sigaction(2)). */
static void name_for_signals(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && flags & O_ASYNC && fcntl(fd, F_SETFL, flags & ~O_ASYNC) == 0)
		fcntl(fd, F_SETFL, flags);
}

int restore_place_files(struct restore *restore, struct restore_task *task)
{
	for (size_t i = 0; i < task->fd_count; i++) {
		/* fdinfo_entry.flags: FD_CLOEXEC */
		int flags = task->fds[i]->flags & FD_CLOEXEC ? O_CLOEXEC : 0;

		if (task->fd_files[i]->slot == (int)task->fds[i]->fd)
			fcntl(task->fd_files[i]->slot, F_SETFD, flags ? FD_CLOEXEC : 0);
		else if (dup3(task->fd_files[i]->slot, task->fds[i]->fd, flags) < 0)
			return err_errno("cannot put descriptor %u in place", task->fds[i]->fd);
	}
	for (size_t i = 0; i < task->fd_count; i++) {
		const struct fd_kind *kind = task->fd_files[i]->kind;

		if (kind->settle && kind->settle(restore, task->fd_files[i]->entry, task->fds[i]->fd) < 0)
			return err_context("descriptor %u", task->fds[i]->fd);
	}
	for (size_t i = task->fd_count; i-- > 0;)
		name_for_signals(task->fds[i]->fd);
	close_others(restore, task);
	return filelocks_restore(restore, task);
}
