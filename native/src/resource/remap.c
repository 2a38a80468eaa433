/* SPDX-License-Identifier: MIT */
#include "resource/remap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "images/fown.pb-c.h"
#include "images/regfile.pb-c.h"
#include "images/remap-file-path.pb-c.h"
#include "resource/ghost.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

#define LINK_TRIES 1000
#define MEMFD_PREFIX "/memfd:"

/* --- dump --- */

static struct kept {
	uint64_t dev, inode;
	uint32_t id; /* of the ghost image, or of the link in files.img */
	char *link; /* path of the link made; NULL for a ghost */
} *kept;
static size_t kept_count, kept_room;
static uint32_t last_ghost;
static struct img *remap_img;

static struct kept *find_kept(const struct stat *st)
{
	for (size_t i = 0; i < kept_count; i++)
		if (kept[i].inode == st->st_ino && kept[i].dev == st->st_dev)
			return &kept[i];
	return NULL;
}

static int write_remap(struct dump *dump, uint32_t id, uint32_t with, RemapType type)
{
	RemapFilePathEntry e = REMAP_FILE_PATH_ENTRY__INIT;

	if (!remap_img && !(remap_img = img_create(dump->dirfd, IMG_REMAP_FPATH, 0)))
		return -1;
	e.orig_id = id;
	e.remap_id = with;
	e.has_remap_type = true;
	e.remap_type = type;
	return img_write(remap_img, &e.base);
}

static struct kept *keep_ghost(struct dump *dump, const char *what, const char *access, const char *path, const struct stat *st)
{
	uint64_t bytes = (uint64_t)st->st_blocks * 512;
	struct kept *k;

	if (S_ISREG(st->st_mode) && bytes > dump->request->ghost_limit) {
		err_set(EFBIG, "%s is the deleted file %s of %" PRIu64 " bytes; a dump keeps deleted files of up to %u bytes, more with --ghost-limit",
			what, path, bytes, dump->request->ghost_limit);
		return NULL;
	}
	if (ghost_write(dump, IMG_GHOST_FILE, last_ghost + 1, what, access, st) < 0)
		return NULL;
	k = array_push(&kept, &kept_count, &kept_room, sizeof(*kept));
	*k = (struct kept){ st->st_dev, st->st_ino, ++last_ghost, NULL };
	return k;
}

/* A new link beside the lost name, and an entry of its own in files.img, by which readers find it. */
static struct kept *keep_link(struct dump *dump, const char *what, const char *access, const char *path, const struct stat *st)
{
	FownEntry fown = FOWN_ENTRY__INIT;
	RegFileEntry reg = REG_FILE_ENTRY__INIT;
	FileEntry e = FILE_ENTRY__INIT;
	const char *slash = strrchr(path, '/');
	char *link = NULL;
	struct kept *k;

	if (!dump->request->link_remap) {
		err_set(ENOTSUP, "%s is %s, a name that is gone while the file has other names; dump with --link-remap to keep it by a new link "
			"beside the old name", what, path);
		return NULL;
	}
	for (int tries = 0; tries < LINK_TRIES; tries++) {
		reg.id = next_id();
		free(link);
		link = xasprintf("%.*s/link_remap.%u", (int)(slash - path), path, reg.id);
		if (linkat(AT_FDCWD, access, AT_FDCWD, link, AT_SYMLINK_FOLLOW) == 0)
			break;
		if (errno != EEXIST || tries == LINK_TRIES - 1) {
			err_errno("%s is %s, a name that is gone: cannot link the file as %s", what, path, link);
			free(link);
			return NULL;
		}
	}
	k = array_push(&kept, &kept_count, &kept_room, sizeof(*kept));
	*k = (struct kept){ st->st_dev, st->st_ino, reg.id, link };
	reg.name = link;
	reg.fown = &fown;
	e.type = FD_TYPES__REG;
	e.id = reg.id;
	e.reg = &reg;
	return img_write(dump->files, &e.base) < 0 ? NULL : k;
}

int remap_dump(struct dump *dump, const char *what, const char *access, const char *path, const struct stat *st, uint32_t id)
{
	/* A directory counts itself as ".", until it is removed. */
	bool gone = st->st_nlink == 0;
	struct kept *k = find_kept(st);

	if (!k)
		k = gone ? keep_ghost(dump, what, access, path, st) : keep_link(dump, what, access, path, st);
	return k ? write_remap(dump, id, k->id, k->link ? REMAP_TYPE__LINKED : REMAP_TYPE__GHOST) : -1;
}

int remap_dump_dead(struct dump *dump, uint32_t id, pid_t pid)
{
	return write_remap(dump, id, pid, REMAP_TYPE__PROCFS);
}

int remap_dump_close(void)
{
	int result = img_close(remap_img);

	remap_img = NULL;
	return result;
}

void remap_dump_end(bool failed)
{
	for (size_t i = 0; i < kept_count; i++) {
		if (kept[i].link && failed && unlink(kept[i].link) < 0)
			pr_warn("cannot remove the link %s again: %s", kept[i].link, strerror(errno));
		free(kept[i].link);
	}
	free(kept);
	kept = NULL;
	kept_count = kept_room = 0;
	last_ghost = 0;
	remap_dump_close();
}

/* --- restore --- */

static struct remap {
	uint32_t id, with;
	RemapType type;
	struct restore_file *file;
	const char *source; /* of a LINKED: the link's path */
	bool done;
} *remaps;
static size_t remap_count, remap_room;

static struct remap *find_remap(uint32_t id)
{
	for (size_t i = 0; i < remap_count; i++)
		if (remaps[i].id == id)
			return &remaps[i];
	return NULL;
}

bool remap_has(uint32_t id)
{
	struct remap *r = find_remap(id);

	return r && r->type != REMAP_TYPE__PROCFS;
}

bool remap_is_dead(pid_t pid)
{
	for (size_t i = 0; i < remap_count; i++)
		if (remaps[i].type == REMAP_TYPE__PROCFS && (pid_t)remaps[i].with == pid)
			return true;
	return false;
}

static int check_remap(struct restore *restore, struct remap *r)
{
	const RegFileEntry *reg, *link;
	struct restore_file *with;
	struct stat st;

	r->file = restore_find_file(restore, r->id);
	reg = r->file ? r->file->entry->reg : NULL;
	if (!reg || reg->name[0] != '/')
		return err_set(EINVAL, "remap-fpath.img: id %u is no file with a path in files.img", r->id);
	switch (r->type) {
	case REMAP_TYPE__PROCFS:
		return r->with && r->with <= INT_MAX ? 0 : err_set(EINVAL, "remap-fpath.img: id %u of pid %u", r->id, r->with);
	case REMAP_TYPE__GHOST:
		for (size_t i = 0; i + 1 < remap_count; i++)
			if (remaps[i].type == REMAP_TYPE__GHOST && remaps[i].with == r->with)
				return 0;
		return ghost_check(restore->dirfd, IMG_GHOST_FILE, r->with) < 0 ? err_context("%s (deleted)", reg->name) : 0;
	case REMAP_TYPE__LINKED:
		with = restore_find_file(restore, r->with);
		link = with ? with->entry->reg : NULL;
		if (!link || link->name[0] != '/')
			return err_set(EINVAL, "remap-fpath.img: id %u, for id %u, is no file with a path in files.img", r->with, r->id);
		r->source = link->name;
		if (lstat(r->source, &st) < 0)
			return err_errno("%s, which the dump linked to keep %s, cannot be reached", r->source, reg->name);
		return 0;
	default:
		return err_set(EINVAL, "remap-fpath.img: id %u has type %d, which is not known", r->id, r->type);
	}
}

int remaps_read(struct restore *restore)
{
	auto_img *img = img_open(restore->dirfd, IMG_REMAP_FPATH, 0, true);
	RemapFilePathEntry *e;
	int got;

	if (!img)
		return errno == ENOENT && !err_code() ? 0 : -1;
	while ((got = img_read(img, &remap_file_path_entry__descriptor, &e)) > 0) {
		struct remap r = { .id = e->orig_id, .with = e->remap_id, .type = e->has_remap_type ? e->remap_type : REMAP_TYPE__GHOST };

		remap_file_path_entry__free_unpacked(e, NULL);
		if (find_remap(r.id))
			return err_set(EINVAL, "remap-fpath.img has id %u twice", r.id);
		*(struct remap *)array_push(&remaps, &remap_count, &remap_room, sizeof(*remaps)) = r;
		if (check_remap(restore, &remaps[remap_count - 1]) < 0)
			return -1;
	}
	return got;
}

/* Directories that a ghost's path needs and that are gone as well; removed when all is open. */
static char **made_dirs;
static size_t made_count, made_room;

static int make_parents(const char *path)
{
	auto_free char *dir = xstrdup(path);

	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(dir, 0755) == 0)
			*(char **)array_push(&made_dirs, &made_count, &made_room, sizeof(char *)) = xstrdup(dir);
		else if (errno != EEXIST)
			return err_errno("cannot make the directory %s for a deleted file", dir);
		*slash = '/';
	}
	return 0;
}

static void remove_parents(void)
{
	while (made_count) {
		if (rmdir(made_dirs[made_count - 1]) < 0)
			pr_warn("cannot remove the directory %s again: %s", made_dirs[made_count - 1], strerror(errno));
		free(made_dirs[--made_count]);
	}
}

static char *spare_name(const char *path)
{
	static unsigned int count;
	const char *slash = strrchr(path, '/');

	return xasprintf("%.*s/.pcr-ghost.%d.%u", (int)(slash - path), path, getpid(), ++count);
}

/* The id of the entry whose name the file was opened by. */
static uint32_t named_id(const struct restore_file *file)
{
	const FileEntry *e = file->entry;

	return e->type == FD_TYPES__FIFO && e->fifo && e->fifo->has_regf_id ? e->fifo->regf_id : e->id;
}

static bool is_tmpfile(const struct restore_file *file)
{
	return file->entry->type == FD_TYPES__REG && file->entry->reg && (file->entry->reg->flags & O_TMPFILE) == O_TMPFILE;
}

/* An executable that was a memfd, memfd_create(2): its name is no path. */
static bool is_memfd(const struct restore_file *file)
{
	return file->entry->type == FD_TYPES__REG && file->entry->reg && !strncmp(file->entry->reg->name, MEMFD_PREFIX, sizeof(MEMFD_PREFIX) - 1);
}

static bool same_file(const struct remap *a, const struct remap *b)
{
	return a->type == b->type && a->with == b->with;
}

int remap_find_ghost(const struct restore *restore, uint32_t dev, uint64_t ino)
{
	for (size_t i = 0; i < remap_count; i++) {
		const struct remap *r = &remaps[i];
		uint64_t ghost_ino;
		uint32_t device;

		if (r->type != REMAP_TYPE__GHOST || ghost_identity(restore->dirfd, IMG_GHOST_FILE, r->with, &device, &ghost_ino) < 0)
			continue;
		for (struct restore_file *f = r->file; f && device == dev && ghost_ino == ino; f = f->next_variant)
			if (f->slot >= 0)
				return f->slot;
	}
	err_clear();
	return -1;
}

/* All slots of the file, now that the name of r leads to it. */
static int open_slots(struct restore *restore, const struct remap *r)
{
	for (size_t i = 0; i < restore->file_count; i++)
		for (struct restore_file *f = restore->files[i]; f; f = f->next_variant) {
			struct remap *of = f->slot >= 0 && !f->opened ? find_remap(named_id(f)) : NULL;

			if (!of || !same_file(of, r) || strcmp(of->file->entry->reg->name, r->file->entry->reg->name))
				continue;
			of->done = true;
			if (restore_open_file(restore, f) < 0)
				return -1;
		}
	return 0;
}

/* Another file or directory has the name by now: they change places, and the other comes back on top of ours. */
static int open_instead(struct restore *restore, const struct remap *r, const char *ours)
{
	const char *name = r->file->entry->reg->name;
	int result;

	if (renameat2(AT_FDCWD, ours, AT_FDCWD, name, RENAME_EXCHANGE) < 0)
		return err_errno("another file is at %s now and cannot be moved aside", name);
	result = open_slots(restore, r);
	if (rename(ours, name) == 0)
		return result;
	/* A directory does not replace a file. */
	if (renameat2(AT_FDCWD, ours, AT_FDCWD, name, RENAME_EXCHANGE) < 0)
		return err_errno("%s is at %s now and cannot be moved back", name, ours);
	if (rmdir(ours) < 0 && unlink(ours) < 0)
		pr_warn("cannot remove %s: %s", ours, strerror(errno));
	return result;
}

/* source: a path that leads to the file; a directory's is used up. */
static int open_as(struct restore *restore, const struct remap *r, const char *source)
{
	const char *name = r->file->entry->reg->name;
	auto_free char *spare = NULL;
	struct stat st;
	bool dir = lstat(source, &st) == 0 && S_ISDIR(st.st_mode);
	int result;

	if (make_parents(name) < 0)
		return -1;
	if (lstat(name, &st) == 0) {
		spare = spare_name(name);
		if ((dir ? rename(source, spare) : link(source, spare)) < 0)
			return err_errno("cannot link %s", spare);
		return open_instead(restore, r, spare);
	}
	if ((dir ? renameat2(AT_FDCWD, source, AT_FDCWD, name, RENAME_NOREPLACE) : link(source, name)) < 0)
		return err_errno("cannot give %s its name", name);
	result = open_slots(restore, r);
	if ((dir ? rmdir(name) : unlink(name)) < 0 && !result)
		result = err_errno("cannot remove %s again", name);
	return result;
}

/* A file that never had a name: made without one, so that it can be linked as before (open(2), O_TMPFILE). */
static int open_tmpfile(struct restore *restore, const struct remap *r)
{
	const RegFileEntry *reg = r->file->entry->reg;
	auto_free char *dir = xstrdup(reg->name);
	auto_fd fd = -1;

	*strrchr(dir, '/') = 0;
	if (make_parents(reg->name) < 0)
		return -1;
	fd = open(*dir ? dir : "/", (reg->flags & ~(O_CREAT | O_TRUNC)) | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno("cannot make a file without a name in %s", dir);
	if (ghost_make(restore->dirfd, IMG_GHOST_FILE, r->with, reg->name, fd) < 0)
		return -1;
	if (reg->pos && lseek(fd, reg->pos, SEEK_SET) < 0)
		return err_errno("%s: cannot go to offset %" PRIu64, reg->name, reg->pos);
	if (dup3(fd, r->file->slot, O_CLOEXEC) < 0)
		return err_errno("cannot use descriptor number %d", r->file->slot);
	r->file->opened = true;
	return 0;
}

/* Other descriptors of a file without a name, and its mappings: opened through the first one. */
static int open_through(struct restore *restore, const struct remap *r, int fd)
{
	for (struct restore_file *f = restore_find_file(restore, r->id); f; f = f->next_variant) {
		auto_free char *path = NULL;
		auto_fd opened = -1;
		int flags = f->entry->reg->flags & ~(O_TMPFILE | O_NOFOLLOW | O_EXCL | O_CREAT | O_TRUNC);

		if (f->slot < 0 || f->opened)
			continue;
		path = xasprintf("/proc/self/fd/%d", fd);
		opened = open(path, flags | O_CLOEXEC);
		if (opened < 0 || (f->entry->reg->pos && lseek(opened, f->entry->reg->pos, SEEK_SET) < 0) || dup3(opened, f->slot, O_CLOEXEC) < 0)
			return err_errno("%s: cannot open it again", f->entry->reg->name);
		f->opened = true;
	}
	return 0;
}

static bool in_use(const struct restore *restore, uint32_t id)
{
	for (size_t i = 0; i < restore->file_count; i++)
		for (struct restore_file *f = restore->files[i]; f; f = f->next_variant)
			if (f->slot >= 0 && named_id(f) == id)
				return true;
	return false;
}

/* Opened anew through a descriptor that is closed: an executable may not be open for writing. */
static int open_memfd(struct restore *restore, const struct remap *first)
{
	const char *name = first->file->entry->reg->name;
	auto_fd fd = memfd_create(name + sizeof(MEMFD_PREFIX) - 1, MFD_CLOEXEC);

	if (fd < 0)
		return err_errno("cannot make %s again", name);
	if (ghost_make(restore->dirfd, IMG_GHOST_FILE, first->with, name, fd) < 0)
		return -1;
	for (size_t i = 0; i < remap_count; i++) {
		struct remap *r = &remaps[i];

		if (!same_file(r, first) || r->done)
			continue;
		r->done = true;
		if (in_use(restore, r->id) && open_through(restore, r, fd) < 0)
			return -1;
	}
	return 0;
}

/* All descriptors of one ghost, whatever its names were. */
static int open_ghost(struct restore *restore, struct remap *first)
{
	auto_free char *source = NULL;
	struct remap *tmpfile = NULL;
	int result = 0;

	if (is_memfd(first->file))
		return open_memfd(restore, first);
	for (size_t i = 0; i < remap_count; i++)
		if (same_file(&remaps[i], first) && is_tmpfile(remaps[i].file) && remaps[i].file->slot >= 0)
			tmpfile = &remaps[i];
	if (tmpfile) {
		result = open_tmpfile(restore, tmpfile);
	} else {
		source = spare_name(first->file->entry->reg->name);
		result = make_parents(source);
		if (!result)
			result = ghost_make(restore->dirfd, IMG_GHOST_FILE, first->with, source, -1);
		if (result < 0)
			return -1;
	}
	for (size_t i = 0; i < remap_count; i++) {
		struct remap *r = &remaps[i];

		if (!same_file(r, first) || r->done)
			continue;
		r->done = true;
		if (!result && in_use(restore, r->id))
			result = tmpfile ? open_through(restore, r, tmpfile->file->slot) : open_as(restore, r, source);
	}
	if (source && unlink(source) < 0 && rmdir(source) < 0 && errno != ENOENT && !result)
		result = err_errno("cannot remove %s again", source);
	return result;
}

int remaps_open(struct restore *restore)
{
	int result = 0;

	for (size_t i = 0; i < remap_count && !result; i++) {
		struct remap *r = &remaps[i];

		if (r->done || r->type == REMAP_TYPE__PROCFS || !in_use(restore, r->id))
			continue;
		result = r->type == REMAP_TYPE__GHOST ? open_ghost(restore, r) : open_as(restore, r, r->source);
		if (result < 0)
			err_context("%s (deleted)", r->file->entry->reg->name);
	}
	remove_parents();
	return result;
}

void remaps_done(void)
{
	for (size_t i = 0; i < remap_count; i++)
		if (remaps[i].type == REMAP_TYPE__LINKED && unlink(remaps[i].source) < 0 && errno != ENOENT)
			pr_warn("cannot remove %s, which kept a file that has lost its name: %s", remaps[i].source, strerror(errno));
}
